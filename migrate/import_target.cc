#include "migrate/import_target.h"

#include <utility>

#include "store/import_rows.h"

namespace pedigree::migrate {
namespace {

constexpr char kBegin[] = "/pedigree.v1.ImportService/Begin";
constexpr char kPut[] = "/pedigree.v1.ImportService/Put";
constexpr char kEnd[] = "/pedigree.v1.ImportService/End";

class StoreTarget final : public ImportTarget {
 public:
  explicit StoreTarget(Store* store) : store_(store) {}

  absl::StatusOr<v1::PutImportResponse> Put(v1::PutImportRequest request) override {
    v1::PutImportResponse response;
    absl::Status status = store_->Write(
        [&](Transaction& transaction) { return ImportRows(transaction, &request, &response); });
    if (!status.ok()) return status;
    return response;
  }

  absl::Status End(const LastIds& last_ids) override {
    return store_->Write([&](Transaction& transaction) {
      return transaction.EndImport(last_ids.node, last_ids.type);
    });
  }

  // After a failed write of the disk there is none until the store is opened again.
  bool MayComeBack() const override { return store_->WriteStatus().ok(); }

 private:
  Store* const store_;
};

class ServerTarget final : public ImportTarget {
 public:
  explicit ServerTarget(GrpcClient* client) : client_(*client) {}

  absl::StatusOr<v1::PutImportResponse> Put(v1::PutImportRequest request) override {
    v1::PutImportResponse response;
    absl::Status status = client_.Call(kPut, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  absl::Status End(const LastIds& last_ids) override {
    v1::EndImportRequest request;
    request.set_last_artifact_id(last_ids.node[IndexOf(NodeKind::kArtifact)]);
    request.set_last_execution_id(last_ids.node[IndexOf(NodeKind::kExecution)]);
    request.set_last_context_id(last_ids.node[IndexOf(NodeKind::kContext)]);
    request.set_last_type_id(last_ids.type);
    v1::EndImportResponse response;
    absl::Status status = client_.TryOnce(kEnd, request, &response);
    if (!absl::IsUnavailable(status)) return status;
    // It may have ended though the answer was lost, and is then not going on.
    status = client_.Call(kEnd, request, &response);
    return absl::IsFailedPrecondition(status) ? absl::OkStatus() : status;
  }

  bool MayComeBack() const override { return true; }

 private:
  GrpcClient& client_;
};

}  // namespace

std::unique_ptr<ImportTarget> MakeStoreTarget(Store* store) {
  return std::make_unique<StoreTarget>(store);
}

absl::Status CheckServerTarget(GrpcClient* client, const std::string& source) {
  v1::BeginImportRequest request;
  request.set_source(source);
  request.set_only_ask(true);
  v1::BeginImportResponse response;
  return client->Call(kBegin, request, &response);
}

absl::StatusOr<std::unique_ptr<ImportTarget>> OpenServerTarget(GrpcClient* client,
                                                               const std::string& source) {
  v1::BeginImportRequest request;
  request.set_source(source);
  v1::BeginImportResponse response;
  absl::Status status = client->Call(kBegin, request, &response);
  if (!status.ok()) return status;
  return std::unique_ptr<ImportTarget>(std::make_unique<ServerTarget>(client));
}

}  // namespace pedigree::migrate
