// The messages of pedigree.v1.AuditService.Export.
//
// Which nodes there are is found out before the first message; then every message is read when the
// one before has been taken. All come from one version, which is kept by name for who comes back
// (export_snapshot.h). Threads: one at a time.
//
//   ExportAnswer answer;
//   auto version = answer.ChooseVersion(store, request);
//   auto part = answer.Next(reader, request);
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "pedigree/v1/audit.pb.h"
#include "server/export_position.h"
#include "server/export_scope.h"
#include "server/methods.h"
#include "store/store.h"

namespace pedigree {

class ExportAnswer {
 public:
  // Errors: as ChooseExportVersion().
  absl::StatusOr<std::shared_ptr<const Version>> ChooseVersion(const Store& store,
                                                               const v1::ExportRequest& request);
  // Errors: InvalidArgument if the request is wrong; as ExportScope::Make() and Reader.
  absl::StatusOr<StreamPart> Next(const Reader& reader, const v1::ExportRequest& request);

 private:
  std::optional<ExportScope> scope_;
  ExportPosition position_;
};

}  // namespace pedigree
