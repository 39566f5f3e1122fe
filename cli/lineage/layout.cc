#include "cli/lineage/layout.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace pedigree::cli {
namespace {

// Odd, so that the last goes from left to right.
constexpr int kSweeps = 7;
// A column is never folded to fewer rows.
constexpr size_t kLeastRows = 16;

class Layouter {
 public:
  explicit Layouter(const LineageGraph& graph)
      : graph_(graph), column_(graph.nodes().size()), y_(graph.nodes().size()) {
    // Edges that close a cycle lead back, and would move columns for ever.
    for (const GraphEdge& edge : graph.edges()) {
      if (edge.from < edge.to) forward_.push_back({edge.from, edge.to});
    }
  }

  LineageLayout Run() {
    ChooseColumns();
    FillColumns();
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (size_t i = 0; i < columns_.size(); ++i) {
        const size_t column = sweep % 2 == 0 ? i : columns_.size() - 1 - i;
        Sort(column, sweep % 2 == 0 ? &LineageGraph::in : &LineageGraph::out);
        Align(column);
      }
    }
    return Result();
  }

 private:
  struct Edge {
    size_t from;
    size_t to;
  };

  size_t size() const { return column_.size(); }

  // The longest way from a source, which an artifact begins in an even column, so that kinds take
  // turns. Sources then move right, next to what they lead to.
  void ChooseColumns() {
    for (size_t i = 0; i < size(); ++i) column_[i] = graph_.nodes()[i].is_artifact() ? 0 : 1;
    for (const Edge& edge : forward_) {  // By `from`, in topological order.
      column_[edge.to] = std::max(column_[edge.to], column_[edge.from] + 1);
    }
    std::vector<int> nearest(size(), std::numeric_limits<int>::max());
    std::vector<bool> is_source(size(), true);
    for (const Edge& edge : forward_) {
      is_source[edge.to] = false;
      nearest[edge.from] = std::min(nearest[edge.from], column_[edge.to] - 1);
    }
    for (size_t i = 0; i < size(); ++i) {
      if (is_source[i] && nearest[i] != std::numeric_limits<int>::max()) column_[i] = nearest[i];
    }
  }

  void FillColumns() {
    if (size() == 0) return;
    const auto [first, last] = std::minmax_element(column_.begin(), column_.end());
    const int begin = *first;
    columns_.resize(static_cast<size_t>(*last - begin + 1));
    for (int& column : column_) column -= begin;
    for (size_t i = 0; i < size(); ++i) Column(i).push_back(i);
    // The rows of about 16 to 10 for the whole, if its columns were full.
    const double cell = double{LineageLayout::kFolded} / LineageLayout::kRow / 1.6;
    rows_ =
        std::max(kLeastRows, static_cast<size_t>(std::sqrt(static_cast<double>(size()) * cell)));
    for (size_t column = 0; column < columns_.size(); ++column) {
      const size_t parts = Parts(column);
      const size_t half = columns_[column].size() / parts / 2;
      for (size_t i = 0; i < columns_[column].size(); ++i) {
        y_[columns_[column][i]] = static_cast<double>(i / parts) - static_cast<double>(half);
      }
    }
  }

  std::vector<size_t>& Column(size_t node) { return columns_[static_cast<size_t>(column_[node])]; }

  // How many stand side by side in a row.
  size_t Parts(size_t column) const {
    return std::max<size_t>(1, (columns_[column].size() + rows_ - 1) / rows_);
  }

  using EdgesOf = const std::vector<size_t>& (LineageGraph::*)(size_t) const;

  // Where its neighbours are, on average; without any, where it is.
  double Wanted(size_t node, std::initializer_list<EdgesOf> sides) const {
    double sum = 0;
    size_t count = 0;
    for (const EdgesOf side : sides) {
      for (const size_t place : (graph_.*side)(node)) {
        const GraphEdge& edge = graph_.edges()[place];
        sum += y_[edge.from == node ? edge.to : edge.from];
        ++count;
      }
    }
    return count == 0 ? y_[node] : sum / static_cast<double>(count);
  }

  // By the neighbours on one side, so that few edges cross there.
  void Sort(size_t column, EdgesOf side) {
    std::vector<std::pair<double, size_t>> order;
    for (const size_t node : columns_[column]) order.emplace_back(Wanted(node, {side}), node);
    std::sort(order.begin(), order.end());
    for (size_t i = 0; i < order.size(); ++i) columns_[column][i] = order[i].second;
  }

  // Keeps the order, a row between rows, and all as near to their wishes as that allows (least
  // squares: rows that get in each other's way move as one block).
  void Align(size_t column) {
    const std::vector<size_t>& nodes = columns_[column];
    const size_t parts = Parts(column);
    struct Block {
      double sum;
      double rows;
      double mean() const { return sum / rows; }
    };
    std::vector<Block> blocks;
    for (size_t i = 0, row = 0; i < nodes.size(); i += parts, ++row) {
      const size_t end = std::min(nodes.size(), i + parts);
      double wanted = 0;
      for (size_t j = i; j < end; ++j)
        wanted += Wanted(nodes[j], {&LineageGraph::in, &LineageGraph::out});
      Block block = {wanted / static_cast<double>(end - i) - static_cast<double>(row), 1};
      while (!blocks.empty() && blocks.back().mean() >= block.mean()) {
        block.sum += blocks.back().sum;
        block.rows += blocks.back().rows;
        blocks.pop_back();
      }
      blocks.push_back(block);
    }
    size_t row = 0;
    for (const Block& block : blocks) {
      for (double left = block.rows; left > 0.5; --left, ++row) {
        for (size_t j = row * parts; j < std::min(nodes.size(), (row + 1) * parts); ++j) {
          y_[nodes[j]] = block.mean() + static_cast<double>(row);
        }
      }
    }
  }

  LineageLayout Result() const {
    LineageLayout layout;
    layout.places.resize(size());
    const double top = size() == 0 ? 0 : *std::min_element(y_.begin(), y_.end());
    int x = 0;
    for (size_t column = 0; column < columns_.size(); ++column) {
      const size_t parts = Parts(column);
      for (size_t i = 0; i < columns_[column].size(); ++i) {
        const size_t node = columns_[column][i];
        layout.places[node] = {
            .x = x + static_cast<int>(i % parts) * LineageLayout::kFolded,
            .y = static_cast<int>(std::lround((y_[node] - top) * LineageLayout::kRow)),
            .column = static_cast<int>(column)};
      }
      x += static_cast<int>(parts - 1) * LineageLayout::kFolded + LineageLayout::kColumn;
    }
    return layout;
  }

  const LineageGraph& graph_;
  std::vector<Edge> forward_;
  std::vector<int> column_;
  std::vector<double> y_;  // In rows.
  std::vector<std::vector<size_t>> columns_;
  size_t rows_ = kLeastRows;
};

}  // namespace

LineageLayout LayOut(const LineageGraph& graph) { return Layouter(graph).Run(); }

}  // namespace pedigree::cli
