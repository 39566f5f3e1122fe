// The contexts of many nodes in few bytes: two or three for a link.
//
// Filled in the order of nodes, then read in that order. Value type; threads: one.
//
//   LinkList links;
//   links.Add(7, 2);
//   LinkList::Cursor cursor(links);
//   absl::Span<const int64_t> contexts = cursor.Of(7);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "store/codec.h"

namespace pedigree::migrate {

class LinkList {
 public:
  // REQUIRES: ascending by node, then context; each once; ids are not negative.
  void Add(int64_t node, int64_t context) {
    const bool is_new = node != node_;
    AppendVarint(&bytes_, static_cast<uint64_t>(node - node_));
    AppendVarint(&bytes_, static_cast<uint64_t>(is_new ? context : context - context_));
    node_ = node;
    context_ = context;
    ++size_;
  }
  int64_t size() const { return size_; }

  class Cursor {
   public:
    explicit Cursor(const LinkList& links) : reader_(links.bytes_) { Next(); }

    // The contexts of the node, valid until the next call.
    // REQUIRES: nodes ascend from call to call.
    absl::Span<const int64_t> Of(int64_t node) {
      contexts_.clear();
      while (has_next_ && node_ <= node) {
        if (node_ == node) contexts_.push_back(context_);
        Next();
      }
      return contexts_;
    }

   private:
    void Next() {
      uint64_t node = 0;
      uint64_t context = 0;
      has_next_ = reader_.ReadVarint(&node) && reader_.ReadVarint(&context);
      context_ = static_cast<int64_t>(context) + (node == 0 ? context_ : 0);
      node_ += static_cast<int64_t>(node);
    }

    ByteReader reader_;
    bool has_next_ = false;
    int64_t node_ = 0;
    int64_t context_ = 0;
    std::vector<int64_t> contexts_;
  };

 private:
  std::string bytes_;
  int64_t node_ = 0;
  int64_t context_ = 0;
  int64_t size_ = 0;
};

}  // namespace pedigree::migrate
