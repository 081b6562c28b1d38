#include "daemon/zone/tzif_zone.h"

#include <algorithm>

namespace pqd {
namespace {

constexpr size_t kHeadBytes = 44;
constexpr int32_t kOffsetMax_s = 26 * 3'600;

// Numbers of the file are big-endian.
int64_t read_number(ByteReader& in, size_t bytes) {
  uint64_t value = 0;
  for (const std::byte byte : in.raw_bytes(bytes)) value = value << 8 | static_cast<uint64_t>(byte);
  const unsigned unused = 64 - 8 * static_cast<unsigned>(bytes);
  return static_cast<int64_t>(value << unused) >> unused;
}

struct Head {
  bool ok = false;
  uint64_t utc_marks = 0, standard_marks = 0, leaps = 0, changes = 0, types = 0, letters = 0;

  uint64_t body_bytes(uint64_t time_bytes) const {
    return changes * (time_bytes + 1) + types * 6 + letters + leaps * (time_bytes + 4) + standard_marks +
           utc_marks;
  }
};

Head read_head(ByteReader& in) {
  Head head;
  const std::string_view magic = as_text(in.raw_bytes(4));
  const auto version = in.pod<uint8_t>();
  in.raw_bytes(15);
  for (uint64_t* count :
       {&head.utc_marks, &head.standard_marks, &head.leaps, &head.changes, &head.types, &head.letters})
    *count = static_cast<uint64_t>(read_number(in, 4)) & 0xFFFFFFFF;
  head.ok = !in.failed() && magic == "TZif" && version >= '2';
  return head;
}

}  // namespace

std::optional<TzifZone> TzifZone::parse(ByteView file) {
  ByteReader in(file);
  const Head old = read_head(in);  // the 32-bit part, for earlier readers
  if (!old.ok) return std::nullopt;
  in.raw_bytes(old.body_bytes(4));
  const Head head = read_head(in);
  if (!head.ok || head.leaps != 0 || head.types == 0 || head.types > 256) return std::nullopt;
  if (head.body_bytes(8) > in.remaining()) return std::nullopt;
  std::vector<int64_t> times(head.changes);
  for (int64_t& time : times) time = read_number(in, 8);
  const ByteView kinds = in.raw_bytes(head.changes);
  std::vector<int32_t> offsets(head.types);
  for (int32_t& offset : offsets) {
    offset = static_cast<int32_t>(read_number(in, 4));
    in.raw_bytes(2);
    if (offset < -kOffsetMax_s || offset > kOffsetMax_s) return std::nullopt;
  }
  in.raw_bytes(head.letters + head.standard_marks + head.utc_marks);
  TzifZone zone;
  zone.first_offset_s_ = offsets[0];
  for (size_t i = 0; i < times.size(); ++i) {
    const auto kind = static_cast<size_t>(kinds[i]);
    if (kind >= offsets.size() || (i > 0 && times[i] <= times[i - 1])) return std::nullopt;
    zone.changes_.push_back({times[i], offsets[kind]});
  }
  const std::string_view footer = as_text(in.raw_bytes(in.remaining()));
  if (in.failed() || footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n')
    return std::nullopt;
  const std::string_view rule = footer.substr(1, footer.size() - 2);
  if (!rule.empty()) {
    zone.after_ = PosixZone::parse(rule);
    if (!zone.after_) return std::nullopt;
  }
  return zone;
}

ZoneSpan TzifZone::span_at(int64_t unix_s) const {
  const auto next = std::ranges::upper_bound(changes_, unix_s, {}, &Change::at_s);
  ZoneSpan span{.offset_s = first_offset_s_};
  if (next != changes_.begin()) {
    span.begin_s = std::prev(next)->at_s;
    span.offset_s = std::prev(next)->offset_s;
  }
  if (next != changes_.end()) {
    span.end_s = next->at_s;
  } else if (after_) {
    const ZoneSpan ruled = after_->span_at(unix_s);
    span = {std::max(span.begin_s, ruled.begin_s), ruled.end_s, ruled.offset_s};
  }
  return span;
}

}  // namespace pqd
