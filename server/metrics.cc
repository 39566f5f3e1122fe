#include "server/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "store/traits.h"

namespace pedigree {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr double kNanosecond = 1e-9;

// Histograms are kept in whole numbers; `unit` is what one of them is.
ClientMetric::Histogram ToHistogram(const HistogramValues& values, double unit) {
  ClientMetric::Histogram histogram;
  uint64_t count = 0;
  for (size_t i = 0; i < values.bounds.size(); ++i) {
    count += values.counts[i];
    histogram.bucket.push_back({count, static_cast<double>(values.bounds[i]) * unit});
  }
  // The serialiser adds the last bucket, which has no bound.
  histogram.sample_count = count + values.counts.back();
  histogram.sample_sum = static_cast<double>(values.sum) * unit;
  return histogram;
}

class Page {
 public:
  // Begins a family; what is added belongs to it until the next.
  Page& Family(MetricType type, const std::string& name, const std::string& help) {
    families_.push_back({name, help, type, {}});
    return *this;
  }
  Page& Gauge(const std::string& name, const std::string& help) {
    return Family(MetricType::Gauge, name, help);
  }
  Page& Counter(const std::string& name, const std::string& help) {
    return Family(MetricType::Counter, name, help);
  }

  template <class Number>
  Page& Add(Number value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    const auto number = static_cast<double>(value);
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = number;
    } else {
      metric.gauge.value = number;
    }
    families_.back().metric.push_back(std::move(metric));
    return *this;
  }
  Page& Add(const HistogramValues& values, double unit, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.histogram = ToHistogram(values, unit);
    families_.back().metric.push_back(std::move(metric));
    return *this;
  }

  std::string Text() const {
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, families_);
    return text.str();
  }

 private:
  std::vector<MetricFamily> families_;
};

// "OK", "NOT_FOUND".
std::string CodeName(size_t code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

Labels MethodLabels(absl::string_view service, absl::string_view method) {
  return {{"service", std::string(service)}, {"method", std::string(method)}};
}

void AddCallCounts(const CallMetrics& calls, Page* page) {
  page->Counter("pedigree_calls_total", "Calls answered, by gRPC status code.");
  uint64_t under_way = 0;
  calls.ForEach(
      [&](absl::string_view service, absl::string_view method, const MethodMetrics& metrics) {
        uint64_t finished = 0;
        for (size_t code = 0; code < kCodes; ++code) {
          const uint64_t count = metrics.finished[code].load(std::memory_order_relaxed);
          finished += count;
          // OK always, so that rates are right from the first call on.
          if (count == 0 && code != 0) continue;
          Labels labels = MethodLabels(service, method);
          labels.push_back({"code", CodeName(code)});
          page->Add(count, std::move(labels));
        }
        // Read after those that are finished: each of them has begun.
        under_way += metrics.begun.load(std::memory_order_relaxed) - finished;
      });
  page->Gauge("pedigree_calls_under_way", "Calls that have begun and are not answered.")
      .Add(under_way);
}

void AddCallTimes(const CallMetrics& calls, Page* page) {
  page->Family(MetricType::Histogram, "pedigree_call_duration_seconds",
               "From a request's bytes to its reply's, waiting included; of a stream, all of it. "
               "Methods that were called.");
  calls.ForEach(
      [&](absl::string_view service, absl::string_view method, const MethodMetrics& metrics) {
        if (metrics.begun.load(std::memory_order_relaxed) == 0) return;
        page->Add(metrics.nanoseconds.Values(), kNanosecond, MethodLabels(service, method));
      });
}

void AddCommitter(const StoreStatistics& store, bool accepts_writes, Page* page) {
  page->Gauge("pedigree_store_accepts_writes",
              "1, or 0 once a disk write has failed: writes are refused until a restart.")
      .Add(accepts_writes ? 1 : 0);
  page->Gauge("pedigree_commit_queue_writes", "Writes that wait for the committer.")
      .Add(store.committer.queued_writes);
  page->Gauge("pedigree_commit_queue_bytes", "Memory of the writes that wait.")
      .Add(store.committer.queued_bytes);
  page->Family(MetricType::Histogram, "pedigree_commit_group_writes",
               "Writes that were committed together.")
      .Add(store.committer.group_requests, 1);
  page->Family(MetricType::Histogram, "pedigree_commit_duration_seconds",
               "Storing a group, with its fsync if --sync=always.")
      .Add(store.committer.apply_ns, kNanosecond);
  page->Counter("pedigree_log_syncs_total", "fsyncs of the log.").Add(store.engine.log_syncs);
}

void AddContent(const StoreStatistics& store, Page* page) {
  page->Gauge("pedigree_nodes", "Nodes in the store.");
  for (NodeKind kind : kNodeKinds) {
    page->Add(store.last_node_id[IndexOf(kind)], {{"kind", std::string(NameOf(kind))}});
  }
  page->Gauge("pedigree_types", "Types in the store.");
  for (NodeKind kind : kNodeKinds) {
    page->Add(store.types[IndexOf(kind)], {{"kind", std::string(NameOf(kind))}});
  }
  page->Gauge("pedigree_events", "Events in the store.").Add(store.last_event_number);
  page->Gauge("pedigree_graph_bytes", "Memory of the events' graph.").Add(store.graph_bytes);
}

void AddEngine(const StoreStatistics& store, Page* page) {
  const EngineStatistics& engine = store.engine;
  page->Gauge("pedigree_table_file_bytes", "Bytes of table files on disk, without the log.")
      .Add(engine.table_file_bytes);
  page->Gauge("pedigree_log_file_bytes", "Bytes of the log on disk.").Add(engine.log_file_bytes);
  page->Gauge("pedigree_memtable_bytes", "Memory of writes that are not in table files yet.")
      .Add(engine.memtable_bytes);
  page->Gauge("pedigree_block_cache_bytes", "Memory in use of --block_cache_bytes.")
      .Add(engine.block_cache_bytes);
  page->Gauge("pedigree_compaction_pending_bytes", "Estimate of bytes that are to be rewritten.")
      .Add(engine.pending_compaction_bytes);
  page->Gauge("pedigree_compactions_running", "Compactions under way.")
      .Add(engine.running_compactions);
  page->Gauge("pedigree_flushes_running", "Flushes under way.").Add(engine.running_flushes);
  page->Counter("pedigree_record_cache_lookups_total", "Look-ups in the record cache.")
      .Add(store.records.hits, {{"result", "hit"}})
      .Add(store.records.misses, {{"result", "miss"}});
}

void AddBackups(const BackupNumbers& backups, Page* page) {
  page->Counter("pedigree_backups_total", "Backups that have ended.")
      .Add(backups.succeeded, {{"result", "ok"}})
      .Add(backups.failed, {{"result", "error"}});
  page->Gauge("pedigree_backup_running", "1 while a backup is made.")
      .Add(backups.is_under_way ? 1 : 0);
  page->Gauge("pedigree_backup_last_success_timestamp_seconds",
              "When the last good backup ended, since the epoch; 0 if there was none since the "
              "start.")
      .Add(backups.last_end_s);
  page->Gauge("pedigree_backup_last_duration_seconds", "What the last good backup took.")
      .Add(backups.last_seconds);
  page->Gauge("pedigree_backup_last_bytes", "Bytes of the last good backup.")
      .Add(backups.last_bytes);
  page->Gauge("pedigree_backup_last_new_bytes", "Those of them that no backup had before.")
      .Add(backups.last_new_bytes);
}

void AddHttp(const HttpStatistics& http, Page* page) {
  page->Gauge("pedigree_http_connections", "Open connections of HTTP.").Add(http.connections);
  page->Gauge("pedigree_http_receiving_bytes", "Memory of requests that are not whole.")
      .Add(http.receiving_bytes);
  page->Counter("pedigree_http_connections_accepted_total", "Connections of HTTP accepted.")
      .Add(http.accepted_connections);
  page->Counter("pedigree_http_connections_refused_total",
                "Connections of HTTP closed at once since there were too many.")
      .Add(http.refused_connections);
  page->Counter("pedigree_http_answers_total", "Answers of HTTP, by HTTP status.");
  for (const auto& [status, count] : http.answers) {
    page->Add(count, {{"status", absl::StrCat(status)}});
  }
}

// Under the names that the libraries for Prometheus give them everywhere.
void AddProcess(const ProcessStatistics& process, const std::string& version, Page* page) {
  page->Gauge("pedigree_build_info", "1; the version is a label.").Add(1, {{"version", version}});
  page->Gauge("process_resident_memory_bytes", "Resident memory.").Add(process.resident_bytes);
  page->Gauge("process_virtual_memory_bytes", "Virtual memory.").Add(process.virtual_bytes);
  page->Counter("process_cpu_seconds_total", "CPU, user and system.").Add(process.cpu_seconds);
  page->Gauge("process_start_time_seconds", "Start, since the epoch.").Add(process.start_seconds);
  page->Gauge("process_open_fds", "Open files.").Add(process.open_files);
  page->Gauge("process_max_fds", "Files that may be open.").Add(process.max_open_files);
  page->Gauge("process_threads", "Threads.").Add(process.threads);
}

}  // namespace

std::string MetricsText(const MetricsSources& sources) {
  Page page;
  AddCallCounts(*sources.calls, &page);
  AddCallTimes(*sources.calls, &page);
  AddCommitter(sources.store, sources.accepts_writes, &page);
  AddContent(sources.store, &page);
  AddEngine(sources.store, &page);
  AddBackups(sources.backups, &page);
  AddHttp(sources.http, &page);
  AddProcess(sources.process, sources.version, &page);
  return page.Text();
}

}  // namespace pedigree
