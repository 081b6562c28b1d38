#include "core/histogram.h"

#include <algorithm>

namespace pqd {

void Histogram::add(uint64_t value) {
  const uint16_t index = bucket_of(value);
  auto at = std::ranges::lower_bound(buckets_, index, {}, &Bucket::index);
  if (at == buckets_.end() || at->index != index) at = buckets_.insert(at, {index, 0});
  ++at->count;
  ++count_;
  sum_us_ += (value + 500) / 1'000;
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  std::vector<Bucket> both;
  both.reserve(buckets_.size() + other.buckets_.size());
  auto a = buckets_.begin();
  for (const Bucket& b : other.buckets_) {
    for (; a != buckets_.end() && a->index < b.index; ++a) both.push_back(*a);
    both.push_back(b);
    if (a != buckets_.end() && a->index == b.index) both.back().count += (a++)->count;
  }
  both.insert(both.end(), a, buckets_.end());
  buckets_ = std::move(both);
  count_ += other.count_;
  sum_us_ += other.sum_us_;
  max_ = std::max(max_, other.max_);
}

double Histogram::average_ns() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_us_) * 1'000 / static_cast<double>(count_);
}

uint64_t Histogram::percentile(unsigned percent) const {
  uint64_t left = (count_ * percent + 99) / 100;
  for (const Bucket& bucket : buckets_) {
    if (bucket.count >= left) return std::min(middle_of(bucket.index), max_);
    left -= bucket.count;
  }
  return 0;
}

void Histogram::encode(Bytes& out) const {
  ByteWriter writer(out);
  writer.varint(sum_us_);
  writer.varint(max_);
  uint16_t before = 0;
  for (const Bucket& bucket : buckets_) {
    writer.varint(static_cast<uint64_t>(bucket.index - before));
    writer.varint(bucket.count);
    before = bucket.index;
  }
}

bool Histogram::decode(ByteView bytes) {
  *this = {};
  ByteReader reader(bytes);
  sum_us_ = reader.varint();
  max_ = reader.varint();
  uint64_t index = 0;
  while (!reader.failed() && reader.remaining() > 0) {
    const uint64_t step = reader.varint();
    const uint64_t count = reader.varint();
    if (step >= kBuckets || (step == 0 && !buckets_.empty()) || count == 0) return false;
    index += step;
    if (index >= kBuckets) return false;
    buckets_.push_back({static_cast<uint16_t>(index), count});
    count_ += count;
  }
  return !reader.failed();
}

}  // namespace pqd
