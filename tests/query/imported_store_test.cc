// Questions about time, asked of a store that was imported: nodes that were not created in id
// order, and ids with gaps.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/lineage_start.h"
#include "query/lineage_view.h"
#include "query/list.h"
#include "store/bulk_loader.h"
#include "store/store.h"
#include "tests/store/scratch_directory.h"
#include "tests/store/status_testing.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Event;
using ml_metadata::Execution;
using ml_metadata::ListOperationOptions;
using OrderBy = ListOperationOptions::OrderByField;

class ImportedStore : public ::testing::Test {
 protected:
  // Ids and create times; every second artifact is written by execution 4, at that time.
  using Times = std::vector<std::pair<int64_t, int64_t>>;

  void Fill(const Times& artifacts, std::vector<NodeKind> created_out_of_order) {
    BulkLoaderOptions options;
    options.data_dir = scratch_.path() + "/store";
    options.source = "s";
    options.created_out_of_order = std::move(created_out_of_order);
    auto loader = BulkLoader::Open(std::move(options));
    ASSERT_TRUE(IsOk(loader));
    ASSERT_TRUE(IsOk((*loader)->PutTypes(Catalog(), 0)));
    for (const auto& [id, time_ms] : artifacts) {
      Artifact artifact;
      artifact.set_id(id);
      artifact.set_type_id(1);
      artifact.set_create_time_since_epoch(time_ms);
      artifact.set_last_update_time_since_epoch(time_ms);
      ASSERT_TRUE(IsOk((*loader)->PutNode(artifact, {})));
    }
    Execution execution;
    execution.set_id(4);
    execution.set_type_id(5);
    execution.set_create_time_since_epoch(1);
    ASSERT_TRUE(IsOk((*loader)->PutNode(execution, {})));
    int64_t number = 0;
    for (const auto& [id, time_ms] : artifacts) {
      Event event;
      event.set_artifact_id(id);
      event.set_execution_id(4);
      event.set_type(Event::OUTPUT);
      event.set_milliseconds_since_epoch(2);
      ASSERT_TRUE(IsOk((*loader)->AddEvent(event, ++number)));
    }
    ASSERT_TRUE(IsOk((*loader)->Finish({})));
    loader->reset();
    StoreOptions store_options;
    store_options.data_dir = scratch_.path() + "/store";
    auto store = Store::Open(store_options);
    ASSERT_TRUE(IsOk(store));
    store_ = *std::move(store);
    EXPECT_TRUE(store_->Verify()->ok());
  }

  // All pages of two nodes.
  std::vector<int64_t> List(Direction direction, const std::string& filter = "") {
    std::vector<int64_t> ids;
    ListOperationOptions options;
    options.set_max_result_size(2);
    options.set_filter_query(filter);
    options.mutable_order_by_field()->set_field(OrderBy::CREATE_TIME);
    options.mutable_order_by_field()->set_is_asc(direction == Direction::kAscending);
    do {
      EXPECT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) -> absl::Status {
        const ListQuery query = {"GetArtifacts", NodeKind::kArtifact, ListScope::All(), &options};
        auto token =
            ListNodes(reader, query, [&](int64_t id, const RecordView&) { ids.push_back(id); });
        if (!token.ok()) return token.status();
        options.set_next_page_token(*token);
        return absl::OkStatus();
      })));
    } while (!options.next_page_token().empty() && ids.size() < 100);
    return ids;
  }

  // The artifacts that lie downstream of execution 4 as of a time.
  std::vector<int64_t> OutputsAsOf(int64_t time_ms) {
    std::vector<int64_t> ids;
    EXPECT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) -> absl::Status {
      auto view = LineageView::AsOf(reader, time_ms);
      if (!view.ok()) return view.status();
      view->VisitNeighbours(LineageNode::Execution(4), LineageDirection::kDownstream,
                            [&](uint32_t, LineageNode node) { ids.push_back(node.id()); });
      auto [edge, end] = out_edges(LineageNode::Execution(4), *view);
      EXPECT_EQ(static_cast<size_t>(std::distance(edge, end)), ids.size());
      // The same bounds at the same time are the same view.
      auto again = LineageView::Within(reader, view->bounds(), time_ms);
      if (!again.ok()) return again.status();
      for (const auto& id : {1, 2, 5, 300, 301}) {
        const LineageNode node = LineageNode::Artifact(static_cast<uint32_t>(id));
        EXPECT_EQ(again->Has(node), view->Has(node)) << id;
      }
      return absl::OkStatus();
    })));
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  ScratchDirectory scratch_;
  std::unique_ptr<Store> store_;
};

const std::vector<std::pair<int64_t, int64_t>> kOutOfOrder = {
    {1, 500}, {2, 300}, {5, 400}, {300, 100}, {301, 300}};
const std::vector<std::pair<int64_t, int64_t>> kInOrder = {
    {1, 100}, {2, 300}, {5, 300}, {300, 400}, {301, 500}};

TEST_F(ImportedStore, ListsByCreateTime) {
  Fill(kOutOfOrder, {NodeKind::kArtifact});
  EXPECT_EQ(List(Direction::kAscending), (std::vector<int64_t>{300, 2, 301, 5, 1}));
  EXPECT_EQ(List(Direction::kDescending), (std::vector<int64_t>{1, 5, 301, 2, 300}));
  EXPECT_EQ(List(Direction::kAscending, "type_id = 1"), (std::vector<int64_t>{300, 2, 301, 5, 1}));
  EXPECT_EQ(List(Direction::kDescending, "id IN (1, 2, 300)"), (std::vector<int64_t>{1, 2, 300}));
}

TEST_F(ImportedStore, FiltersByCreateTime) {
  Fill(kOutOfOrder, {NodeKind::kArtifact});
  EXPECT_EQ(List(Direction::kAscending, "create_time_since_epoch >= 300"),
            (std::vector<int64_t>{2, 301, 5, 1}));
  EXPECT_EQ(List(Direction::kAscending, "create_time_since_epoch < 301"),
            (std::vector<int64_t>{300, 2, 301}));
  EXPECT_EQ(List(Direction::kAscending, "create_time_since_epoch = 400"),
            (std::vector<int64_t>{5}));
}

TEST_F(ImportedStore, ListsAndFiltersInIdOrderWhereThatIsTheSame) {
  Fill(kInOrder, {});
  EXPECT_EQ(List(Direction::kAscending), (std::vector<int64_t>{1, 2, 5, 300, 301}));
  EXPECT_EQ(List(Direction::kDescending, "create_time_since_epoch <= 400"),
            (std::vector<int64_t>{300, 5, 2, 1}));
}

TEST_F(ImportedStore, ShowsLineageAsOfATime) {
  Fill(kOutOfOrder, {NodeKind::kArtifact});
  EXPECT_EQ(OutputsAsOf(99), (std::vector<int64_t>{}));
  EXPECT_EQ(OutputsAsOf(100), (std::vector<int64_t>{300}));
  EXPECT_EQ(OutputsAsOf(300), (std::vector<int64_t>{2, 300, 301}));
  EXPECT_EQ(OutputsAsOf(499), (std::vector<int64_t>{2, 5, 300, 301}));
  EXPECT_EQ(OutputsAsOf(500), (std::vector<int64_t>{1, 2, 5, 300, 301}));
}

// A gap must not hide what was created before it.
TEST_F(ImportedStore, ShowsLineageAsOfATimeAcrossGaps) {
  Fill(kInOrder, {});
  EXPECT_EQ(OutputsAsOf(99), (std::vector<int64_t>{}));
  EXPECT_EQ(OutputsAsOf(100), (std::vector<int64_t>{1}));
  EXPECT_EQ(OutputsAsOf(300), (std::vector<int64_t>{1, 2, 5}));
  EXPECT_EQ(OutputsAsOf(400), (std::vector<int64_t>{1, 2, 5, 300}));
  EXPECT_EQ(OutputsAsOf(500), (std::vector<int64_t>{1, 2, 5, 300, 301}));
}

TEST_F(ImportedStore, DoesNotStartALineageInAGap) {
  Fill(kInOrder, {});
  EXPECT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
    const LineageView view(reader);
    LineageStart start;
    start.nodes = {LineageNode::Artifact(5)};
    EXPECT_TRUE(IsOk(ResolveStart(reader, view, start)));
    start.nodes = {LineageNode::Artifact(6)};
    EXPECT_TRUE(Fails(ResolveStart(reader, view, start), absl::StatusCode::kNotFound));
    return absl::OkStatus();
  })));
}

}  // namespace
}  // namespace pedigree
