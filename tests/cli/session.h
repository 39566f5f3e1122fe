// Recorded sessions in a shell: text in which lines that begin with "$ " are commands, and those
// after them what they printed.
//
//   ```
//   $ pedigree get artifact:4
//   artifact:4  ...
//   ```
//
// In a session file all is commands and output, and lines that begin with "# " are remarks; in a
// page, only what stands between ``` lines. A command that fails ends in a line "[exit code 3]".
//
// Threads: values and free functions.
//
//   std::string again = Replay(text, Text::kPage, [&](const std::string& command) { ... });
//   EXPECT_EQ(again, text);
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::cli {

enum class Text : uint8_t { kSession, kPage };

// The text with each command's output replaced by what `run` answers for it.
std::string Replay(absl::string_view text, Text kind,
                   const std::function<std::string(const std::string& command)>& run);

// Runs a command by /bin/sh in this directory and answers what it prints on both outputs, line feed
// at the end, and "[exit code N]" if N is not 0.
struct Shell {
  std::string program_dir;  // Of `pedigree`; comes first in PATH.
  std::string server;       // PEDIGREE_SERVER; unset if empty.
  std::string data_dir;     // Put after every `pedigree COMMAND` as --data_dir, unless empty.
  std::string work_dir;     // Where it runs; here if empty.

  std::string Run(const std::string& command) const;
};

}  // namespace pedigree::cli
