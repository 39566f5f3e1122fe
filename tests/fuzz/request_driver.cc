#include "tests/fuzz/request_driver.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/methods.h"
#include "tests/server/proper_answer.h"

namespace pedigree::testing {
namespace {

constexpr int kInputsPerStore = 5000;

const Method& Pick(absl::string_view input) {
  const auto methods = AllMethods();
  return methods[static_cast<unsigned char>(input[0]) % methods.size()];
}

absl::StatusOr<std::string> CallBytes(Store* store, const Method& method,
                                      absl::string_view request) {
  const std::unique_ptr<Call> call = method.make();
  absl::Status status = call->Parse(request);
  if (!status.ok()) return status;
  status = method.writes
               ? store->Write([&](Transaction& transaction) { return call->Write(transaction); })
               : store->Read(Blocking::kAllowed,
                             [&](const Reader& reader) { return call->Read(reader); });
  if (!status.ok()) return status;
  return call->ReleaseReply();
}

}  // namespace

RequestDriver::RequestDriver() {
  directory_ = (std::filesystem::temp_directory_path() / "pedigree-fuzz-XXXXXX").string();
  if (mkdtemp(directory_.data()) == nullptr) {
    std::perror(directory_.c_str());
    std::abort();
  }
  Open();
}

RequestDriver::~RequestDriver() {
  store_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void RequestDriver::Open() {
  store_.reset();
  const std::string data_dir = directory_ + "/data";
  std::filesystem::remove_all(data_dir);
  StoreOptions options;
  options.data_dir = data_dir;
  options.sync = Sync::kNever;
  auto store = Store::Open(std::move(options));
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", store.status().ToString().c_str());
    std::abort();
  }
  store_ = *std::move(store);
}

std::string RequestDriver::Run(absl::string_view input) {
  if (input.empty()) return "";
  const Method& method = Pick(input);
  const std::string fault = FaultOf(method.name, CallBytes(store_.get(), method, input.substr(1)));
  if (!fault.empty()) return absl::StrCat(method.name, ": ", fault);
  if (++inputs_ % kInputsPerStore != 0) return "";
  std::string found = Verify();
  Open();
  return found;
}

std::string RequestDriver::Verify() const {
  const auto report = store_->Verify();
  if (!report.ok()) return report.status().ToString();
  return report->ok() ? "" : absl::StrCat("Verify: ", absl::StrJoin(report->problems, "\n"));
}

std::string RequestDriver::InputFor(absl::string_view rpc, absl::string_view request) {
  const auto methods = AllMethods();
  size_t index = 0;
  while (methods[index].name != rpc) ++index;
  return absl::StrCat(std::string(1, static_cast<char>(index)), request);
}

absl::string_view RequestDriver::MethodOf(absl::string_view input) { return Pick(input).name; }

}  // namespace pedigree::testing
