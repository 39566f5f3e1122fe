#include "store/graph_snapshot.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/durable_file.h"
#include "store/text.h"

namespace pedigree {
namespace {

static_assert(std::endian::native == std::endian::little, "columns are written as they lie");

constexpr absl::string_view kName = "LINEAGE";
constexpr absl::string_view kMagic = "pedigree lineage 1\n";
constexpr uint32_t kEventsPerBlock = 65536;

class Hash {
 public:
  Hash() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void Add(absl::string_view bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  }
  std::string Finish() {
    std::string digest(SHA256_DIGEST_LENGTH, '\0');
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

// The columns of a block of events.
struct Block {
  std::vector<uint32_t> artifacts;
  std::vector<uint32_t> executions;
  std::vector<uint8_t> types;
  std::vector<int64_t> times_ms;

  void Resize(size_t events) {
    artifacts.resize(events);
    executions.resize(events);
    types.resize(events);
    times_ms.resize(events);
  }
  // Calls visit(bytes) for each column, in the order of the file.
  template <class Visit>
  void VisitColumns(Visit visit) {
    const auto bytes_of = [](auto& column) {
      return std::pair(reinterpret_cast<char*>(column.data()),
                       column.size() * sizeof(column.front()));
    };
    visit(bytes_of(artifacts));
    visit(bytes_of(executions));
    visit(bytes_of(types));
    visit(bytes_of(times_ms));
  }
};

std::string HeadOf(const GraphSnapshot& snapshot) {
  std::string head = absl::StrCat(kMagic, snapshot.id);
  AppendBe64(&head, snapshot.last_event);
  return head;
}

void FillBlock(const EventGraph& graph, uint32_t first, Block* block) {
  for (uint32_t i = 0; i < block->types.size(); ++i) {
    const EventEnds ends = graph.ends(first + i);
    block->artifacts[i] = ends.artifact;
    block->executions[i] = ends.execution;
    block->types[i] = ends.type;
    block->times_ms[i] = graph.time_ms(first + i);
  }
}

absl::Status Damaged(const std::string& path) {
  return absl::DataLossError(absl::StrCat(Quoted(path), " is damaged, or of another store"));
}

// False if an event is none: nothing is ever written over a gap.
bool AppendBlock(const Block& block, uint32_t first, EventGraph* graph) {
  for (uint32_t i = 0; i < block.types.size(); ++i) {
    const EventEnds ends = {block.artifacts[i], block.executions[i], block.types[i]};
    if (ends.artifact == 0 || ends.execution == 0 || ends.artifact > kLastGraphId ||
        ends.execution > kLastGraphId || ends.type > EventEnds::kLastType) {
      return false;
    }
    graph->Append(first + i, ends, block.times_ms[i]);
  }
  return true;
}

}  // namespace

std::string GraphSnapshot::Encode() const {
  std::string bytes;
  AppendBe64(&bytes, last_event);
  return bytes + id;
}

bool GraphSnapshot::Decode(absl::string_view bytes, GraphSnapshot* out) {
  ByteReader reader(bytes);
  uint64_t last = 0;
  if (!reader.ReadBe64(&last) || last > static_cast<uint64_t>(kLastGraphId) ||
      reader.rest().size() != kIdBytes) {
    return false;
  }
  *out = {static_cast<uint32_t>(last), std::string(reader.rest())};
  return true;
}

absl::StatusOr<GraphSnapshot> WriteGraphSnapshot(const std::string& data_dir,
                                                 const EventGraph& graph, uint32_t last_event,
                                                 absl::FunctionRef<bool()> is_stopping) {
  GraphSnapshot snapshot{last_event, std::string(GraphSnapshot::kIdBytes, '\0')};
  RAND_bytes(reinterpret_cast<unsigned char*>(snapshot.id.data()),
             static_cast<int>(snapshot.id.size()));
  DurableFile file(data_dir, kName);
  Hash hash;
  const auto append = [&](absl::string_view bytes) {
    hash.Add(bytes);
    return file.Append(bytes);
  };
  absl::Status status = append(HeadOf(snapshot));
  Block block;
  for (uint32_t first = 1; first <= last_event && status.ok(); first += kEventsPerBlock) {
    if (is_stopping()) return absl::CancelledError("the store is closing");
    block.Resize(std::min(kEventsPerBlock, last_event - first + 1));
    FillBlock(graph, first, &block);
    block.VisitColumns([&](std::pair<char*, size_t> column) {
      if (status.ok()) status = append({column.first, column.second});
    });
  }
  if (status.ok()) status = file.Append(hash.Finish());
  if (status.ok()) status = file.Commit();
  if (!status.ok()) return status;
  return snapshot;
}

absl::Status ReadGraphSnapshot(const std::string& data_dir, const GraphSnapshot& snapshot,
                               EventGraph* graph) {
  const std::string path = absl::StrCat(data_dir, "/", kName);
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                       std::fclose);
  if (file == nullptr) {
    if (errno == ENOENT) return absl::NotFoundError(absl::StrCat(Quoted(path), " is missing"));
    return FileError(errno, "open", path);
  }
  Hash hash;
  const auto read = [&](char* bytes, size_t size) {
    if (std::fread(bytes, 1, size, file.get()) != size) return false;
    hash.Add({bytes, size});
    return true;
  };
  const std::string expected_head = HeadOf(snapshot);
  std::string head(expected_head.size(), '\0');
  if (!read(head.data(), head.size()) || head != expected_head) return Damaged(path);
  Block block;
  for (uint32_t first = 1; first <= snapshot.last_event; first += kEventsPerBlock) {
    block.Resize(std::min(kEventsPerBlock, snapshot.last_event - first + 1));
    bool is_whole = true;
    block.VisitColumns([&](std::pair<char*, size_t> column) {
      is_whole = is_whole && read(column.first, column.second);
    });
    if (!is_whole || !AppendBlock(block, first, graph)) return Damaged(path);
  }
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  if (std::fread(digest.data(), 1, digest.size(), file.get()) != digest.size() ||
      digest != hash.Finish()) {
    return Damaged(path);
  }
  return absl::OkStatus();
}

}  // namespace pedigree
