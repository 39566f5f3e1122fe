#include "tests/server/request_sites.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "store/wire.h"

namespace pedigree::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

class Search {
 public:
  Search(const Descriptor* request, FieldDescriptor::Type type) : type_(type) {
    site_.request = request;
    Enter(request);
  }

  std::vector<Site> Release() { return std::move(found_); }

 private:
  void Enter(const Descriptor* message) {
    const auto most = absl::StartsWith(message->full_name(), "google.") ? 1 : 2;
    if (std::count(entered_.begin(), entered_.end(), message) >= most) return;
    entered_.push_back(message);
    for (int i = 0; i < message->field_count(); ++i) Visit(message->field(i));
    entered_.pop_back();
  }

  void Visit(const FieldDescriptor* field) {
    const size_t path_size = site_.path.size();
    absl::StrAppend(&site_.path, site_.path.empty() ? "" : ".", field->name());
    site_.numbers.push_back(field->number());
    site_.field = field;
    if (field->type() == type_) found_.push_back(site_);
    if (field->message_type() != nullptr) Enter(field->message_type());
    site_.numbers.pop_back();
    site_.path.resize(path_size);
  }

  const FieldDescriptor::Type type_;
  std::vector<const Descriptor*> entered_;
  Site site_;
  std::vector<Site> found_;
};

}  // namespace

std::string Site::Wrapped(std::string innermost) const {
  for (auto number = numbers.rbegin() + 1; number != numbers.rend(); ++number) {
    std::string outer;
    AppendBytesField(&outer, *number, innermost);
    innermost = std::move(outer);
  }
  if (request->name() != "PutExecutionRequest") return innermost;
  // It looks for its execution before all else.
  std::string with_execution;
  AppendBytesField(&with_execution, 1, "");
  return with_execution + innermost;
}

std::string Site::WithBytes(absl::string_view bytes) const {
  std::string innermost;
  AppendBytesField(&innermost, numbers.back(), bytes);
  return Wrapped(std::move(innermost));
}

std::string Site::WithNumber(uint64_t number) const {
  std::string innermost;
  AppendVarintField(&innermost, numbers.back(), number);
  return Wrapped(std::move(innermost));
}

std::vector<Site> SitesOf(const Descriptor* request, FieldDescriptor::Type type) {
  return Search(request, type).Release();
}

}  // namespace pedigree::testing
