#include "tests/server/test_store.h"

#include <google/protobuf/stubs/common.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/methods.h"
#include "store/keys.h"

namespace pedigree::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr size_t kMaxErrorBytes = 1024;
constexpr int64_t kStartMs = 1'700'000'000'000;

// For what no test can go on without.
[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "test_store: %s\n", why.c_str());
  std::abort();
}

const MethodDescriptor* MethodOf(absl::string_view rpc) {
  const auto* service = ml_metadata::PutArtifactsRequest::descriptor()->file()->FindServiceByName(
      "MetadataStoreService");
  const auto* method = service->FindMethodByName(std::string(rpc));
  if (method == nullptr) Die(absl::StrCat("there is no call ", rpc));
  return method;
}

std::unique_ptr<Message> NewMessage(const Descriptor* type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

std::string RpcOfRequest(const Message& request) {
  const std::string& name = request.GetDescriptor()->name();
  return name.substr(0, name.size() - std::string("Request").size());
}

std::string MakeDirectory() {
  std::string path =
      (std::filesystem::temp_directory_path() / "pedigree-server-test-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) Die(absl::StrCat("cannot create ", path));
  return path;
}

}  // namespace

TestStore::TestStore() : directory_(MakeDirectory()), clock_ms_(kStartMs) { Open(); }

TestStore::~TestStore() {
  store_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void TestStore::Open() {
  StoreOptions options;
  options.data_dir = directory_ + "/data";
  options.sync = Sync::kNever;
  options.clock_ms = [this] { return clock_ms_.load(); };
  options.cache_policy = cache_policy_;
  auto store = Store::Open(std::move(options));
  if (!store.ok()) Die(store.status().ToString());
  store_ = *std::move(store);
}

void TestStore::Reopen() {
  store_.reset();
  Open();
}

void TestStore::SetCachePolicy(const CachePolicy& policy) {
  cache_policy_ = policy;
  Reopen();
}

absl::StatusOr<std::string> TestStore::CallBytes(absl::string_view rpc, absl::string_view request) {
  const Method* method = FindMethod(rpc);
  if (method == nullptr) Die(absl::StrCat("there is no call ", rpc));
  const std::unique_ptr<Call> call = method->make();
  absl::Status status = call->Parse(request);
  if (!status.ok()) return status;
  // What a write says that it would answer without writing, it must answer, and write nothing.
  std::string written_reply;
  StoreDump before;
  const bool is_written = method->may_be_written && IsWritten(*call, &written_reply);
  if (is_written) before = Dump();
  if (method->writes) {
    status = store_->Write([&](Transaction& transaction) { return call->Write(transaction); });
  } else {
    status =
        store_->Read(Blocking::kAllowed, [&](const Reader& reader) { return call->Read(reader); });
  }
  if (!status.ok()) {
    EXPECT_FALSE(is_written) << rpc << ": " << status;
    return status;
  }
  std::string reply = call->ReleaseReply();
  if (is_written) {
    EXPECT_EQ(reply, written_reply) << rpc;
    EXPECT_EQ(Difference(before, Dump()), "") << rpc;
  }
  return reply;
}

bool TestStore::IsWritten(Call& call, std::string* reply) {
  bool is_written = false;
  const absl::Status status = store_->Read(Blocking::kCacheOnly, [&](const Reader& reader) {
    is_written = call.IsWritten(reader);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  if (is_written) *reply = call.ReleaseReply();
  return is_written;
}

absl::Status TestStore::Try(absl::string_view rpc, const std::string& request_text) {
  return CallBytes(rpc, TextRequest(rpc, request_text)).status();
}

absl::Status TestStore::Try(const Message& request) {
  return CallBytes(RpcOfRequest(request), request.SerializeAsString()).status();
}

std::unique_ptr<Message> TestStore::Answer(const Message& request) {
  const std::string rpc = RpcOfRequest(request);
  auto answer = NewMessage(MethodOf(rpc)->output_type());
  const auto bytes = CallBytes(rpc, request.SerializeAsString());
  EXPECT_TRUE(bytes.ok()) << rpc << ": " << bytes.status();
  EXPECT_TRUE(!bytes.ok() || answer->ParseFromString(*bytes)) << rpc;
  return answer;
}

StoreDump TestStore::Dump() {
  StoreDump dump;
  const absl::Status status = store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return reader.view().Scan({}, Direction::kAscending, Blocking::kAllowed,
                              [&](absl::string_view key, absl::string_view value) {
                                dump[absl::BytesToHexString(key)] = std::string(value);
                                return true;
                              });
  });
  EXPECT_TRUE(status.ok()) << status;
  // The counters end with the newest time handed out, which is no content.
  std::string& counters = dump[absl::BytesToHexString(CountersKey().Encode())];
  counters.resize(counters.size() - sizeof(int64_t));
  return dump;
}

void TestStore::ExpectSound() {
  const auto report = store_->Verify();
  ASSERT_TRUE(report.ok()) << report.status();
  for (const std::string& problem : report->problems) ADD_FAILURE() << "Verify: " << problem;
}

std::string TestStore::TextRequest(absl::string_view rpc, const std::string& text) {
  const auto request = NewMessage(MethodOf(rpc)->input_type());
  ReadText(text, request.get());
  return request->SerializeAsString();
}

void ReadText(const std::string& text, Message* message) {
  if (!google::protobuf::TextFormat::ParseFromString(text, message)) {
    Die(absl::StrCat("no ", message->GetTypeName(), ": ", text));
  }
}

bool IsUtf8(absl::string_view text) {
  return google::protobuf::internal::IsStructurallyValidUTF8(text.data(),
                                                             static_cast<int>(text.size()));
}

std::string Difference(const StoreDump& before, const StoreDump& after) {
  std::string text;
  for (const auto& [key, value] : before) {
    const auto it = after.find(key);
    if (it == after.end()) {
      absl::StrAppend(&text, "gone: ", key, "\n");
    } else if (it->second != value) {
      absl::StrAppend(&text, "changed: ", key, "\n  ", absl::CHexEscape(value), "\n  ",
                      absl::CHexEscape(it->second), "\n");
    }
  }
  for (const auto& [key, value] : after) {
    if (!before.contains(key)) {
      absl::StrAppend(&text, "new: ", key, "\n  ", absl::CHexEscape(value), "\n");
    }
  }
  return text.substr(0, 4000);
}

std::string ExpectRefused(TestStore& store, absl::string_view rpc, absl::string_view request,
                          absl::StatusCode code) {
  const StoreDump before = store.Dump();
  const absl::Status status = store.CallBytes(rpc, request).status();
  EXPECT_EQ(status.code(), code) << rpc << ": " << status;
  EXPECT_LE(status.message().size(), kMaxErrorBytes) << rpc;
  EXPECT_TRUE(IsUtf8(status.message())) << rpc << ": " << absl::CHexEscape(status.message());
  EXPECT_EQ(Difference(before, store.Dump()), "") << rpc << ": " << status;
  return std::string(status.message());
}

std::string ExpectTextRefused(TestStore& store, absl::string_view rpc, const std::string& text,
                              absl::StatusCode code) {
  SCOPED_TRACE(text.substr(0, 500));
  return ExpectRefused(store, rpc, TestStore::TextRequest(rpc, text), code);
}

std::string ExpectRefused(TestStore& store, const Message& request, absl::StatusCode code) {
  SCOPED_TRACE(request.ShortDebugString().substr(0, 500));
  return ExpectRefused(store, RpcOfRequest(request), request.SerializeAsString(), code);
}

void ExpectEqual(const Message& actual, const Message& expected) {
  ASSERT_EQ(actual.GetDescriptor(), expected.GetDescriptor());
  const auto bytes = [](const Message& message) {
    std::string text;
    google::protobuf::io::StringOutputStream stream(&text);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
    coded.Trim();
    return text;
  };
  EXPECT_EQ(bytes(actual), bytes(expected)) << "is\n"
                                            << actual.DebugString() << "and should be\n"
                                            << expected.DebugString();
}

uint32_t RandomSeed() {
  static const uint32_t seed = [] {
    uint32_t given = 0;
    const char* text = std::getenv("PEDIGREE_TEST_SEED");
    const uint32_t chosen =
        text != nullptr && absl::SimpleAtoi(text, &given) ? given : std::random_device()();
    std::printf("seed: PEDIGREE_TEST_SEED=%u\n", chosen);
    std::fflush(stdout);
    return chosen;
  }();
  return seed;
}

}  // namespace pedigree::testing
