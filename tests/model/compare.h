// Compares a store with the model of it, question by question.
//
// Every function answers "" where they agree, else what was asked and both answers: text for a
// failing test. Threads: one.
//
//   EXPECT_EQ("", Difference(*store, model));
#pragma once

#include <string>
#include <vector>

#include "tests/model/invoke.h"
#include "tests/model/model.h"

namespace pedigree::model {

// The message in one line.
std::string Text(const google::protobuf::Message& message);

// Compares how a write went with what the model says.
std::string CompareWrite(const Call& call, const Verdict& verdict,
                         const google::protobuf::Message& expected);

// Asks one Get of both.
std::string CompareRead(Store& store, const Model& model, Call call);

// A list that is read page by page, with writes in between.
class PagedList {
 public:
  // `call` is a list with options and without a token.
  explicit PagedList(Call call) : call_(std::move(call)) {}

  // Reads the next page of both. REQUIRES: !done().
  std::string NextPage(Store& store, const Model& model);
  bool done() const { return done_; }

  // The call as it stands, token included.
  const google::protobuf::Message& request() const { return *call_.request; }

 private:
  Call call_;
  Place last_;
  bool has_last_ = false;
  bool done_ = false;
};

// Asks everything that can be asked about what the model holds, and a little beyond: every node by
// id, name, external id and uri, every list, every neighbour in both directions, every type.
// Answers the first difference.
std::string Difference(Store& store, const Model& model);

// What Store::Verify complains about.
std::string VerifyProblems(Store& store);

}  // namespace pedigree::model
