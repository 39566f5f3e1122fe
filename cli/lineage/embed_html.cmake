# Writes OUTPUT, a source file with the parts of the page in FOLDER as texts: cmake -P.
# A literal holds at most 64 KiB in the standard's promise; the script is split where its files are.
function(as_literals result)
  set(all "")
  foreach(name ${ARGN})
    file(READ "${FOLDER}/${name}" text)
    string(APPEND all "R\"pedigree(${text})pedigree\"\n")
  endforeach()
  set(${result} "${all}" PARENT_SCOPE)
endfunction()

as_literals(page page.html)
as_literals(style page.css)
as_literals(script begin.js graph.js view.js panel.js page.js)
file(WRITE "${OUTPUT}"
  "#include \"cli/lineage/html_parts.h\"\n\nnamespace pedigree::cli {\n\n"
  "const absl::string_view kHtmlPage = ${page};\n"
  "const absl::string_view kHtmlStyle = ${style};\n"
  "const absl::string_view kHtmlScript = ${script};\n"
  "\n}  // namespace pedigree::cli\n")
