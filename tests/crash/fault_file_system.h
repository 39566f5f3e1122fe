// A file system for RocksDB that fails when told to, and that knows what a power cut would leave.
//
// It passes everything on to the real file system, counts the operations that change something, and
// remembers for each file how much of it has been synced and for each directory what has happened
// since it was synced last. After the store is gone, LosePower() makes the real files what a disk
// might hold then: unsynced bytes, creations, renames and deletions are undone, at random.
//
// A sync that fails on a broken disk is taken at its worst: as Linux does, it forgets the bytes, so
// that later syncs of the same file do not bring them back. On a full disk they are kept.
//
// Threads: any; LosePower() only after the store that uses it is gone.
//
//   auto files = std::make_shared<FaultFileSystem>(directory.path() + "/trash");
//   options.file_system = files;
//   files->CutPowerAt(files->operations() + 7);
#pragma once

#include <rocksdb/file_system.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/store/random.h"

namespace pedigree::crash {

// What becomes of an operation that fails.
enum class Effect : uint8_t {
  kNone,   // It did nothing.
  kPart,   // An append wrote a part; anything else did nothing.
  kWhole,  // It was done, and the caller is told that it was not.
};

class FaultFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  // Deleted files are kept in `trash` (on the same file system) until their deletion is durable.
  explicit FaultFileSystem(std::string trash);

  const char* Name() const override { return "FaultFileSystem"; }

  // How many operations have changed something, or tried to.
  int64_t operations() const;

  // From operation number `first` on (the next one is operations() + 1), operations fail with
  // `error` until Lift(), but at most `count` of them.
  void Fail(int64_t first, rocksdb::IOStatus error, Effect effect, int64_t count = INT64_MAX);
  void Lift();
  // How many operations have failed so.
  int64_t failures() const;

  // From operation number `first` on, everything fails for good.
  void CutPowerAt(int64_t first);
  bool is_cut() const;

  // REQUIRES: no store uses the file system any more.
  void LosePower(Random* random);

  // What Linux answers to a program when the disk is broken or full.
  static rocksdb::IOStatus BrokenDisk();
  static rocksdb::IOStatus FullDisk();

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;

 private:
  friend class FaultFile;
  friend class FaultDirectory;

  struct FileState {
    uint64_t size = 0;
    uint64_t synced = 0;
    bool is_poisoned = false;  // A sync has failed: nothing more of it becomes durable.
  };
  // Something that happened to a directory since it was synced.
  struct Change {
    enum class Kind : uint8_t { kCreated, kRenamed, kDeleted };
    Kind kind;
    std::string path;
    std::string from = {};   // Of a renamed file.
    std::string saved = {};  // What the path held before, in the trash; "" if nothing.
  };
  // What to do with one operation.
  struct Decision {
    bool does_it = true;
    bool does_part = false;
    rocksdb::IOStatus answer;
  };

  Decision Decide();
  rocksdb::IOStatus Append(const std::string& path, const rocksdb::Slice& data,
                           rocksdb::FSWritableFile* target, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug);
  template <class Sync>
  rocksdb::IOStatus SyncFile(const std::string& path, Sync sync);
  template <class Sync>
  rocksdb::IOStatus SyncDirectory(const std::string& path, Sync sync);
  void Track(const std::string& path, const FileState& state, std::string saved);
  // Links the file into the trash; "" if there is none.
  std::string Save(const std::string& path);
  void Undo(const Change& change);

  const std::string trash_;
  mutable std::mutex mutex_;  // Guards all below.
  std::map<std::string, FileState> files_;
  std::map<std::string, std::vector<Change>> changes_;  // By directory.
  int64_t operations_ = 0;
  int64_t failures_ = 0;
  int64_t saved_ = 0;
  int64_t fail_from_ = INT64_MAX;
  int64_t fails_left_ = 0;
  rocksdb::IOStatus error_;
  Effect effect_ = Effect::kNone;
  int64_t cut_from_ = INT64_MAX;
};

}  // namespace pedigree::crash
