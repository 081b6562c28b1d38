#include "daemon/store/expired_rows.h"

#include "core/idempotency.h"
#include "core/limits.h"
#include "daemon/store/metrics_keys.h"
#include "daemon/store/rocksdb_bytes.h"

namespace pqd {
namespace {

// What cannot be read stays: it is damage for a reader to find, not ours to sweep away.
using IsOver = bool (*)(ByteView key, ByteView value, TimeNs now);

bool key_is_over(ByteView /*key*/, ByteView value, TimeNs now) {
  ByteReader reader(value);
  const auto kept = reader.pod<KeptKey>();
  return !reader.failed() && reader.remaining() == 0 && kept.expires_ns <= now;
}

bool figures_are_over(ByteView key, ByteView /*value*/, TimeNs now) {
  const auto at = read_metrics_key(key);
  if (!at) return false;
  const TimeNs end_ns = at->start_ns + length_of(at->resolution);
  return end_ns + span_of(at->resolution) + limits::kMetricsGraceNs <= now;
}

class Expired final : public rocksdb::CompactionFilter {
 public:
  Expired(const char* name, IsOver is_over, TimeNs now) : name_(name), is_over_(is_over), now_(now) {}

  bool Filter(int /*level*/, const rocksdb::Slice& key, const rocksdb::Slice& value,
              std::string* /*new_value*/, bool* /*value_changed*/) const override {
    return is_over_(view(key), view(value), now_);
  }
  const char* Name() const override { return name_; }

 private:
  const char* name_;
  IsOver is_over_;
  TimeNs now_;
};

class Factory final : public rocksdb::CompactionFilterFactory {
 public:
  Factory(const char* name, IsOver is_over, std::shared_ptr<const CheckpointClock> clock)
      : name_(name), is_over_(is_over), clock_(std::move(clock)) {}

  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    return std::make_unique<Expired>(name_, is_over_, clock_->load(std::memory_order_relaxed));
  }
  const char* Name() const override { return name_; }

 private:
  const char* name_;
  IsOver is_over_;
  std::shared_ptr<const CheckpointClock> clock_;
};

}  // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory> expired_keys(std::shared_ptr<const CheckpointClock> clock) {
  return std::make_shared<Factory>("pqd.expired_keys", key_is_over, std::move(clock));
}

std::shared_ptr<rocksdb::CompactionFilterFactory> expired_metrics(
    std::shared_ptr<const CheckpointClock> clock) {
  return std::make_shared<Factory>("pqd.expired_metrics", figures_are_over, std::move(clock));
}

}  // namespace pqd
