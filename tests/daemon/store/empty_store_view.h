// A store that has nothing, for what reads one and needs none of RocksDB's threads. Any thread.
#pragma once

#include "daemon/store/store_view.h"

namespace pqd::test {

class EmptyStoreView : public StoreView {
 public:
  StoreResult<std::optional<Checkpoint>> load_checkpoint() const override { return std::nullopt; }
  StoreResult<void> for_each_live(const RowVisitor& /*f*/) const override { return {}; }
  StoreResult<void> for_each_commit(uint64_t /*from*/, const CommitVisitor& /*f*/) const override {
    return {};
  }
  StoreResult<uint64_t> known_synced() const override { return uint64_t{0}; }
  uint64_t live_estimate() const override { return 0; }
  StoreResult<std::optional<Bytes>> find_live(JobNo /*job*/) const override { return std::nullopt; }
  StoreResult<std::optional<Bytes>> find_done(const JobId& /*id*/) const override { return std::nullopt; }
  StoreResult<std::optional<Bytes>> find_entry(uint64_t /*number*/) const override { return std::nullopt; }
  StoreResult<std::optional<KeptKey>> find_key(const ShortHash& /*key*/) const override {
    return std::nullopt;
  }
  StoreResult<std::optional<Bytes>> find_metrics(const MetricsKey& /*key*/) const override {
    return std::nullopt;
  }
};

}  // namespace pqd::test
