#include "daemon/store/row_pack.h"

#include <bit>

namespace pqd {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kWithPiece = 2;  // of a head

}  // namespace

bool PackHead::add(JobNo distance) {
  if (distances_.size() == kRowsMax || distance > kDistanceMax) return false;
  if (!distances_.empty() && distance <= distances_.back()) return false;
  counting_ |= uint64_t{1} << distances_.size();
  distances_.push_back(static_cast<uint16_t>(distance));
  return true;
}

size_t PackHead::count() const { return static_cast<size_t>(std::popcount(counting_)); }

std::optional<size_t> PackHead::find(JobNo distance) const {
  const auto found = std::ranges::lower_bound(distances_, distance);
  if (found == distances_.end() || *found != distance) return std::nullopt;
  const auto at = static_cast<size_t>(found - distances_.begin());
  return counts(at) ? std::optional(at) : std::nullopt;
}

Bytes PackHead::encode() const {
  Bytes bytes;
  ByteWriter out(bytes);
  out.pod(piece ? kWithPiece : kVersion);
  if (piece) {
    out.pod(piece->commit);
    out.pod(piece->offset);
  }
  out.pod(static_cast<uint8_t>(distances_.size()));
  out.pod(counting_);
  for (const uint16_t distance : distances_) out.pod(distance);
  return bytes;
}

std::optional<PackHead> PackHead::decode(ByteView bytes) {
  ByteReader in(bytes);
  const auto version = in.pod<uint8_t>();
  PackHead head;
  if (version == kWithPiece) {
    const auto commit = in.pod<uint64_t>();
    head.piece = BlockPiece{commit, in.pod<uint32_t>()};
  }
  const auto size = in.pod<uint8_t>();
  const auto counting = in.pod<uint64_t>();
  if ((version != kVersion && version != kWithPiece) || size == 0 || size > kRowsMax) return std::nullopt;
  for (size_t i = 0; i < size; ++i) {
    const auto distance = in.pod<uint16_t>();
    if (!head.add(distance) || (i == 0 && distance != 0)) return std::nullopt;
  }
  if (in.failed() || in.remaining() != 0 || (counting & ~head.counting_) != 0) return std::nullopt;
  head.counting_ = counting;
  return head;
}

Bytes pack_rows(std::span<const std::pair<JobNo, Bytes>> rows) {
  Bytes bytes;
  ByteWriter out(bytes);
  size_t total = 1;
  for (const auto& [job, row] : rows) total += sizeof(uint32_t) + row.size();
  bytes.reserve(total);
  out.pod(kVersion);
  for (const auto& [job, row] : rows) out.pod(static_cast<uint32_t>(row.size()));
  for (const auto& [job, row] : rows) out.raw_bytes(row);
  return bytes;
}

std::optional<std::vector<ByteView>> unpack_rows(ByteView bytes, size_t count) {
  ByteReader in(bytes);
  if (in.pod<uint8_t>() != kVersion) return std::nullopt;
  std::array<uint32_t, PackHead::kRowsMax> sizes{};
  if (count > sizes.size()) return std::nullopt;
  for (size_t i = 0; i < count; ++i) sizes[i] = in.pod<uint32_t>();
  std::vector<ByteView> rows;
  rows.reserve(count);
  for (size_t i = 0; i < count; ++i) rows.push_back(in.raw_bytes(sizes[i]));
  if (in.failed() || in.remaining() != 0) return std::nullopt;
  return rows;
}

std::optional<RowPacks::Place> RowPacks::find(JobNo job) const {
  auto found = heads_.upper_bound(job);
  if (found == heads_.begin()) return std::nullopt;
  --found;
  const auto at = found->second.find(job - found->first);
  if (!at) return std::nullopt;
  return Place{found->first, *at};
}

bool RowPacks::goes_behind(JobNo first) const {
  if (heads_.empty()) return true;
  const auto& [last_first, last] = *heads_.rbegin();
  return first > last_first + last.distance(last.size() - 1);
}

void RowPacks::add(JobNo first, PackHead head) {
  rows_ += head.count();
  heads_.emplace_hint(heads_.end(), first, std::move(head));
}

void RowPacks::strike(const Place& place) {
  heads_.at(place.pack).strike(place.at);
  --rows_;
}

void RowPacks::remove(JobNo pack) {
  const auto found = heads_.find(pack);
  rows_ -= found->second.count();
  heads_.erase(found);
}

}  // namespace pqd
