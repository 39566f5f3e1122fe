// Values as JSON text: strings, numbers, base64.
//
// Appends to a string; the same value is the same text everywhere. Any thread.
//
//   AppendJsonString("a \"b\"", &out);   // "a \"b\""
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::cli {

// With quotes. What is no UTF-8 becomes {"base64":"..."}, so that no byte is lost.
void AppendJsonString(absl::string_view text, std::string* out);
// The shortest digits that are read as the same double; "NaN", "Infinity" and "-Infinity" as
// strings, and a NaN with other bits than the common one as "NaN:" and its bits in hexadecimal.
void AppendJsonDouble(double value, std::string* out);
void AppendDecimal(int64_t value, std::string* out);
void AppendDecimal(uint64_t value, std::string* out);
// With quotes.
void AppendJsonBase64(absl::string_view bytes, std::string* out);

}  // namespace pedigree::cli
