// The method table: complete, and unharmed by bytes that are no request.
#include "server/methods.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/server/proper_answer.h"
#include "tests/server/random_request.h"
#include "tests/server/request_sites.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using google::protobuf::FieldDescriptor;
using ::pedigree::testing::RandomRequests;
using ::pedigree::testing::RandomSeed;
using ::pedigree::testing::Site;
using ::pedigree::testing::SitesOf;
using ::pedigree::testing::TestStore;

const google::protobuf::ServiceDescriptor* Service() {
  return ml_metadata::PutArtifactsRequest::descriptor()->file()->FindServiceByName(
      "MetadataStoreService");
}

// Makes the call; whatever the bytes, the answer is one that the contract allows.
StatusCode ExpectProper(TestStore& store, const Method& method, const std::string& bytes) {
  const auto reply = store.CallBytes(method.name, bytes);
  EXPECT_EQ(testing::FaultOf(method.name, reply), "")
      << method.name << ": " << absl::CHexEscape(bytes).substr(0, 4000);
  return reply.status().code();
}

TEST(Methods, AreThoseOfTheServiceAndPutsAreTheOnesThatWrite) {
  std::set<std::string> names;
  for (const Method& method : AllMethods()) {
    names.insert(std::string(method.name));
    EXPECT_EQ(FindMethod(method.name), &method);
    EXPECT_EQ(method.writes, absl::StartsWith(method.name, "Put")) << method.name;
  }
  std::set<std::string> contract;
  for (int i = 0; i < Service()->method_count(); ++i) contract.insert(Service()->method(i)->name());
  EXPECT_EQ(names, contract);
  EXPECT_EQ(names.size(), 52U);
  EXPECT_EQ(AllMethods().size(), 52U);
  EXPECT_EQ(kServiceName, Service()->full_name());
}

TEST(Methods, UnknownNamesAreNull) {
  for (const char* name : {"", "getArtifacts", "GetArtifacts ", "GetArtifactsX", "PutArtifact"}) {
    EXPECT_EQ(FindMethod(name), nullptr) << name;
  }
}

TEST(Methods, AReadDoesNotWriteAndAWriteDoesNotRead) {
  TestStore store;
  for (const Method& method : AllMethods()) {
    const auto call = method.make();
    const absl::Status status =
        method.writes ? store.store().Read(Blocking::kAllowed,
                                           [&](const Reader& reader) { return call->Read(reader); })
                      : store.store().Write([&](Transaction& t) { return call->Write(t); });
    EXPECT_EQ(status.code(), StatusCode::kInternal) << method.name;
  }
}

TEST(Methods, AnEmptyRequestIsAnsweredOnAnEmptyStore) {
  TestStore store;
  for (const Method& method : AllMethods()) ExpectProper(store, method, "");
}

TEST(Methods, RandomBytesAreHarmless) {
  std::mt19937 random(RandomSeed());
  TestStore store;
  for (const Method& method : AllMethods()) {
    for (int i = 0; i < 300; ++i) {
      std::string bytes(random() % 200, '\0');
      for (char& c : bytes) c = static_cast<char>(random());
      ExpectProper(store, method, bytes);
    }
  }
  store.ExpectSound();
}

TEST(Methods, RandomRequestsWholeCutAndDamagedAreHarmless) {
  std::mt19937 random(RandomSeed() + 1);
  TestStore store;
  RandomRequests requests(&random);
  std::map<StatusCode, int> codes;
  for (int round = 0; round < 25; ++round) {
    for (const Method& method : AllMethods()) {
      SCOPED_TRACE(absl::StrCat(method.name, " in round ", round));
      const std::string whole = requests.Make(method.name);
      ++codes[ExpectProper(store, method, whole)];
      for (int i = 0; i < 4 && !whole.empty(); ++i) {
        ExpectProper(store, method, whole.substr(0, random() % whole.size()));
        std::string damaged = whole;
        for (int flips = 0; flips < 3; ++flips) {
          damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
        }
        ExpectProper(store, method, damaged);
      }
    }
    store.MoveClock(static_cast<int64_t>(random() % 3));
  }
  store.ExpectSound();
  // The requests are not all nonsense, and not all sense.
  EXPECT_GT(codes[StatusCode::kOk], 100);
  EXPECT_GT(codes[StatusCode::kInvalidArgument], 100);
}

TEST(Methods, EveryCutOfAWholeRequestIsHarmless) {
  std::mt19937 random(RandomSeed() + 2);
  TestStore store;
  RandomRequests requests(&random);
  for (const Method& method : AllMethods()) {
    const std::string whole = requests.Make(method.name).substr(0, 600);
    for (size_t size = 0; size < whole.size(); ++size) {
      ExpectProper(store, method, whole.substr(0, size));
    }
  }
  store.ExpectSound();
}

// Reads are not checked text by text: what they do not find they say, in valid text.
TEST(Methods, InvalidTextInAReadIsAnsweredWithValidText) {
  TestStore store;
  for (const Method& method : AllMethods()) {
    if (method.writes) continue;
    const auto* type = Service()->FindMethodByName(std::string(method.name))->input_type();
    for (const Site& site : SitesOf(type, FieldDescriptor::TYPE_STRING)) {
      SCOPED_TRACE(absl::StrCat(method.name, ": ", site.path));
      for (const std::string bad : {"\xff", "a\xc3", "\xed\xa0\x80"}) {
        ExpectProper(store, method, site.WithBytes(bad));
        ExpectProper(store, method, site.WithBytes(std::string(79, 'x') + bad + "and so on"));
      }
    }
  }
}

TEST(Methods, EnumNumbersOutsideTheEnumAreRefusedInReads) {
  TestStore store;
  int sites = 0;
  for (const Method& method : AllMethods()) {
    if (method.writes) continue;
    const auto* type = Service()->FindMethodByName(std::string(method.name))->input_type();
    for (const Site& site : SitesOf(type, FieldDescriptor::TYPE_ENUM)) {
      SCOPED_TRACE(absl::StrCat(method.name, ": ", site.path));
      const StatusCode code = ExpectProper(store, method, site.WithNumber(99));
      // A call that is not built yet says that.
      EXPECT_TRUE(code == StatusCode::kUnimplemented || code == StatusCode::kInvalidArgument);
      ++sites;
    }
  }
  EXPECT_GE(sites, 9);
}

}  // namespace
}  // namespace pedigree
