#include "cli/journal_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree::cli {
namespace {

// Beyond these it is said how many more there are.
constexpr int kMostChanges = 8;

std::string ActionText(v1::ChangeAction action) {
  return absl::AsciiStrToLower(v1::ChangeAction_Name(action));
}

// "PutExecution"
absl::string_view ShortMethod(absl::string_view method) {
  return method.substr(method.rfind('/') + 1);
}

// Who it was: what is proved before what is only said; "-" if nobody knows.
std::string WhoText(const v1::JournalEntry& entry) {
  std::string who = entry.tls_identity();
  if (who.empty()) who = entry.declared_principal();
  absl::StrAppend(&who, who.empty() || entry.peer().empty() ? "" : ", ", entry.peer());
  return who.empty() ? "-" : who;
}

}  // namespace

std::string NameOfKind(v1::ChangedKind kind) {
  constexpr absl::string_view kPrefix = "CHANGED_";
  const std::string name = v1::ChangedKind_Name(kind);
  return absl::StrReplaceAll(absl::AsciiStrToLower(name.substr(kPrefix.size())), {{"_", "-"}});
}

v1::ChangedKind ChangedKindOf(absl::string_view name) {
  for (int number = v1::ChangedKind_MIN; number <= v1::ChangedKind_MAX; ++number) {
    if (!v1::ChangedKind_IsValid(number)) continue;
    const auto kind = static_cast<v1::ChangedKind>(number);
    if (kind != v1::CHANGED_KIND_UNSPECIFIED && NameOfKind(kind) == name) return kind;
  }
  return v1::CHANGED_KIND_UNSPECIFIED;
}

std::string ChangeText(const v1::Change& change) {
  const std::string action = absl::StrCat(ActionText(change.action()), " ");
  switch (change.kind()) {
    case v1::CHANGED_EVENT: {
      const auto type = static_cast<ml_metadata::Event::Type>(change.event_type());
      return absl::StrCat(action, "event artifact:", change.id(), " execution:", change.other_id(),
                          " ", ml_metadata::Event::Type_Name(type));
    }
    case v1::CHANGED_ATTRIBUTION:
      return absl::StrCat(action, "artifact:", change.id(), " in context:", change.other_id());
    case v1::CHANGED_ASSOCIATION:
      return absl::StrCat(action, "execution:", change.id(), " in context:", change.other_id());
    case v1::CHANGED_PARENT_CONTEXT:
      return absl::StrCat(action, "context:", change.id(), " in context:", change.other_id());
    case v1::CHANGED_CACHE_ENTRY:
      return absl::StrCat(action, "cache-entry of execution:", change.id());
    default:
      return absl::StrCat(action, NameOfKind(change.kind()), ":", change.id());
  }
}

std::string EntryLine(const v1::JournalEntry& entry, const Screen& screen) {
  std::string changes;
  for (int i = 0; i < entry.changes_size() && i < kMostChanges; ++i) {
    absl::StrAppend(&changes, i == 0 ? "" : ", ", ChangeText(entry.changes(i)));
  }
  if (entry.changes_size() > kMostChanges) {
    absl::StrAppend(&changes, " and ", entry.changes_size() - kMostChanges, " more");
  }
  return absl::StrCat(screen.paint(Colour::kDim, absl::StrCat(entry.sequence())), "  ",
                      screen.Time(entry.time_ms()), "  ",
                      screen.paint(Colour::kBold, Printable(ShortMethod(entry.method()))), "  ",
                      Printable(WhoText(entry)), "  ", changes, "\n");
}

std::string HashText(absl::string_view hash) { return absl::BytesToHexString(hash); }

}  // namespace pedigree::cli
