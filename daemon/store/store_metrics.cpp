// The store's rows of figures, as they are read.
#include "daemon/store/metrics_keys.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/store.h"

namespace pqd {

StoreResult<std::optional<Bytes>> Store::find_metrics(const MetricsKey& key) const {
  return get(kMetrics, write_metrics_key(key));
}

StoreResult<void> Store::for_each_metrics(const MetricsKey& from,
                                          const std::function<bool(const MetricsKey&, ByteView)>& f) const {
  const auto it = iterate(kMetrics);
  for (it->Seek(slice(write_metrics_key(from))); it->Valid(); it->Next()) {
    const auto key = read_metrics_key(view(it->key()));
    if (!key)
      return std::unexpected(StoreError{Error::kSystemError, "a key of the figures is damaged", true});
    if (!f(*key, view(it->value()))) break;
  }
  if (!it->status().ok()) return failure("cannot read the figures", it->status());
  return {};
}

}  // namespace pqd
