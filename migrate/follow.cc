#include "migrate/follow.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "migrate/import_target.h"
#include "store/directory.h"
#include "store/text.h"

namespace pedigree::migrate {
namespace {

// How often stop() is asked while nothing is done.
constexpr auto kPatience = std::chrono::milliseconds(50);
// How often it is said that there is nothing new.
constexpr auto kQuiet = absl::Minutes(1);

std::string TimeOfDay(absl::Time time) {
  return absl::FormatTime("%H:%M:%S", time, absl::LocalTimeZone());
}

class Following {
 public:
  Following(const SourceOpener& open, const FollowOptions& options, Progress* progress)
      : open_(open), options_(options), progress_(*progress) {}

  absl::StatusOr<FollowResult> Run() {
    absl::Status status = options_.server == nullptr ? RunToStore() : RunToServer();
    if (!status.ok()) return status;
    return result_;
  }

 private:
  absl::Status RunToStore() {
    auto target = CheckImportTarget(options_.import.data_dir);
    if (!target.ok()) return target.status();
    absl::Status status = *target == DirectoryState::kFollowing ? GoOn() : Load();
    if (!status.ok()) return status;
    TellLoaded();
    auto is_over = OpenStore();
    if (!is_over.ok()) return is_over.status();
    if (*is_over) {
      result_.is_settled = true;
    } else {
      target_ = MakeStoreTarget(store_.get());
      if (status = FollowToTheEnd(); !status.ok()) return status;
    }
    return Store::MakeReady(std::move(store_));
  }

  absl::Status RunToServer() {
    auto source = open_();
    if (!source.ok()) return source.status();
    Meet((*source)->info());
    const std::string name = (*source)->info().name;
    if (absl::Status status = CheckServerTarget(options_.server, name); !status.ok()) {
      return status;
    }
    auto history =
        History::Survey(source->get(), options_.import.repairs, options_.import.report, &progress_);
    if (!history.ok()) return history.status();
    history_ = *std::move(history);
    if (absl::Status status = CheckSurvey(*history_); !status.ok()) return status;
    source->reset();
    auto target = OpenServerTarget(options_.server, name);
    if (!target.ok()) return target.status();
    target_ = *std::move(target);
    for (int64_t count : history_->kept()) rows_to_load_ += count;
    return FollowToTheEnd();
  }

  // Once.
  void TellLoaded() {
    rows_to_load_ = 0;
    if (!std::exchange(is_loaded_, true) && options_.on_loaded) options_.on_loaded();
  }

  absl::Status FollowToTheEnd() {
    rounds_ = std::make_unique<Rounds>(target_.get(), std::move(history_));
    if (marks_.has_value()) rounds_->SetMarks(*marks_);
    if (absl::Status status = Follow(); !status.ok()) return status;
    result_.findings = rounds_->findings();
    rounds_.reset();
    return target_->End(last_ids_);
  }

  absl::Status Load() {
    auto source = open_();
    if (!source.ok()) return source.status();
    ImportOptions import = options_.import;
    import.after_load = AfterLoad::kFollow;
    auto loaded = Import(source->get(), import, &progress_);
    if (!loaded.ok()) return loaded.status();
    Meet((*source)->info());
    result_.loaded = loaded->kept;
    history_ = std::move(loaded->history);
    if (is_snapshot_) marks_ = loaded->marks;
    return absl::OkStatus();
  }

  void Meet(const SourceInfo& info) {
    name_ = FollowedName(info);
    is_snapshot_ = info.is_snapshot;
  }

  absl::Status GoOn() {
    auto source = open_();
    if (!source.ok()) return source.status();
    Meet((*source)->info());
    history_ = History::OfNothing(options_.import.repairs, options_.import.report);
    return absl::OkStatus();
  }

  // Whether all was over but for the marker.
  absl::StatusOr<bool> OpenStore() {
    StoreOptions store_options;
    store_options.data_dir = options_.import.data_dir;
    store_options.purpose = Purpose::kFollow;
    store_options.write_buffer_bytes = options_.import.write_buffer_bytes;
    store_options.file_system = options_.import.file_system;
    auto store = Store::Open(std::move(store_options));
    if (!store.ok()) return store.status();
    store_ = *std::move(store);
    std::string followed;
    absl::Status status = store_->Write([&](Transaction& transaction) {
      auto name = transaction.ImportSource();
      if (name.ok()) followed = *std::move(name);
      return name.status();
    });
    if (absl::IsNotFound(status)) return true;
    if (!status.ok()) return status;
    if (!absl::StartsWith(followed, name_)) {
      return absl::FailedPreconditionError(absl::StrCat(Quoted(options_.import.data_dir),
                                                        " holds an import of another source (",
                                                        Quoted(followed), ")"));
    }
    return false;
  }

  Stop AskStop() const { return options_.stop ? options_.stop() : Stop::kFinish; }

  absl::Status Follow() {
    Extent extent = marks_.has_value() ? Extent::kChanged : Extent::kAll;
    int last_rounds = 0;
    while (true) {
      // Asked before the source is looked at: what was written before it said so is brought.
      const Stop stop = AskStop();
      if (stop == Stop::kFinish && !is_snapshot_) extent = Extent::kAll;
      auto brought = RunRound(extent);
      if (absl::IsUnavailable(brought.status()) && stop == Stop::kGoOn && target_->MayComeBack()) {
        Say(absl::StrCat(brought.status().message(), "; trying again"));
        Wait();
        continue;
      }
      if (!brought.ok()) return brought.status();
      TellLoaded();
      if (stop == Stop::kGoOn) {
        extent = Extent::kChanged;
        Wait();
        continue;
      }
      // One more round over everything finds whether a server was changed during this one.
      result_.is_settled = is_snapshot_ || (extent == Extent::kAll && *brought == 0);
      if (result_.is_settled || stop == Stop::kNow || ++last_rounds == kMostLastRounds) {
        return absl::OkStatus();
      }
    }
  }

  // Answers how many rows it has brought.
  absl::StatusOr<int64_t> RunRound(Extent extent) {
    const absl::Time begin = absl::Now();
    auto source = open_();
    if (!source.ok()) return source.status();
    auto marks = (*source)->FindMarks();
    if (!marks.ok()) return marks.status();
    const int64_t behind = rounds_->RowsBehind(*marks);
    Progress silent(Progress::Style::kSilent);
    if (rows_to_load_ > 0) {
      progress_.Begin("importing", rows_to_load_);
    } else if (extent == Extent::kAll) {
      progress_.Begin("comparing with the source", Progress::kUnknown);
    }
    auto brought =
        rounds_->Run(source->get(), extent, extent == Extent::kAll ? &progress_ : &silent);
    if (!brought.ok()) return brought.status();
    auto last_ids = (*source)->FindLastIds();
    if (!last_ids.ok()) return last_ids.status();
    last_ids_ = *last_ids;
    if (extent == Extent::kAll) progress_.End();
    Tell(*brought, extent, behind, begin);
    result_.brought.types += brought->types;
    result_.brought.nodes += brought->nodes;
    result_.brought.links += brought->links;
    result_.brought.events += brought->events;
    return brought->total();
  }

  void Tell(const Brought& brought, Extent extent, int64_t behind, absl::Time begin) {
    if (brought.total() == 0 && begin - told_ < kQuiet) return;
    told_ = absl::Now();
    Say(absl::StrCat(extent == Extent::kAll ? "" : absl::StrCat("was ", behind, " rows behind, "),
                     "brought ", brought.ToString(),
                     absl::StrFormat(" in %.1f s, has all until %s",
                                     absl::ToDoubleSeconds(told_ - begin), TimeOfDay(begin))));
  }

  void Say(absl::string_view line) const {
    if (options_.say) options_.say(line);
  }

  void Wait() const {
    const auto end = std::chrono::steady_clock::now() + options_.pause;
    while (AskStop() == Stop::kGoOn && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(kPatience, options_.pause));
    }
  }

  const SourceOpener& open_;
  const FollowOptions& options_;
  Progress& progress_;
  FollowResult result_;
  std::string name_;
  std::unique_ptr<History> history_;  // Until FollowToTheEnd().
  std::optional<Marks> marks_;        // Of what was loaded, if that was of one state.
  std::unique_ptr<Store> store_;
  std::unique_ptr<ImportTarget> target_;  // After the store, which it borrows.
  std::unique_ptr<Rounds> rounds_;        // After the target, which it borrows.
  LastIds last_ids_;
  bool is_snapshot_ = true;
  bool is_loaded_ = false;
  int64_t rows_to_load_ = 0;  // By the first round, where that loads.
  absl::Time told_ = absl::InfinitePast();
};

}  // namespace

absl::StatusOr<FollowResult> ImportAndFollow(const SourceOpener& open, const FollowOptions& options,
                                             Progress* progress) {
  return Following(open, options, progress).Run();
}

}  // namespace pedigree::migrate
