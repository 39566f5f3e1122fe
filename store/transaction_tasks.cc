// Tasks of Kubeflow Pipelines: a record each, and an entry under its fingerprint.
#include "api/task.pb.h"
#include "store/codec.h"
#include "store/keys.h"
#include "store/transaction.h"

namespace pedigree {

absl::StatusOr<int64_t> Transaction::InsertTask(api::Task* task) {
  const std::string last_key = LastTaskKey().Encode();
  auto last = Get(last_key);
  if (!last.ok()) return last.status();
  int64_t number = 0;
  if (last->has_value()) {
    ByteReader reader(**last);
    if (!reader.ReadId(&number) || !reader.AtEnd()) {
      return absl::DataLossError("last_task does not decode; the store is damaged");
    }
  }
  ++number;
  task->set_id(NewTaskId(number));
  std::string value;
  AppendId(&value, number);
  writes_.Put(last_key, value);
  const std::string message = task->SerializeAsString();
  writes_.Put(TaskKey{number}.Encode(), message);
  JournalCreated(ChangedKind::kTask, number, message);
  writes_.Put(TaskFingerprintKey{task->fingerprint(), task->pipelinename(), task->namespace_(),
                                 TaskPlace{task->created_at().seconds(), number}}
                  .Encode(),
              "");
  return number;
}

}  // namespace pedigree
