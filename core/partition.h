// Which partition of a daemon a queue, a session or a job belongs to. A partition is a broker of its own with
// its own queues, sessions and journal; a queue belongs to the one that its name hashes to, for as long as
// the store lives: the mapping is a stored format, as the number of partitions is. Pure, any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/limits.h"

namespace pqd {

using PartitionNo = uint8_t;

inline constexpr uint32_t kPartitionTagBits = 6;
static_assert(limits::kPartitionsMax == 1u << kPartitionTagBits);
static_assert(limits::kPartitionsMax - 1 <= UINT8_MAX);

// The finalizer of MurmurHash3, `fmix64`, by Austin Appleby (public domain): each bit of `hash` reaches all.
constexpr uint64_t mix_bits(uint64_t hash) {
  hash = (hash ^ hash >> 33) * 0xFF51'AFD7'ED55'8CCDu;
  hash = (hash ^ hash >> 33) * 0xC4CE'B9FE'1A85'EC53u;
  return hash ^ hash >> 33;
}

// FNV-1a of 64 bits, by Fowler, Noll and Vo (RFC 9923), mixed, modulo `count`. "" is the queue `default`.
// Mixed, because the lowest n bits of FNV-1a are made of the lowest n bits of each byte: of names that differ
// in even characters only, all would be odd, or all even. REQUIRES: 1 <= count <= kPartitionsMax.
constexpr PartitionNo partition_of(std::string_view queue_name, uint32_t count) {
  if (queue_name.empty()) queue_name = "default";
  uint64_t hash = 14'695'981'039'346'656'037u;
  for (const char c : queue_name) hash = (hash ^ static_cast<uint8_t>(c)) * 1'099'511'628'211u;
  return static_cast<PartitionNo>(mix_bits(hash) % count);
}

// Of the ids that a session makes, or the schedules of a partition do, whose number is 0, which no session
// has. In a store of several partitions the lowest bits of a tag name the partition, so that an id leads to
// its job; the rest counts sessions. With one partition the tag is the session's number alone.
constexpr uint32_t make_tag(uint64_t session_number, PartitionNo partition, uint32_t count) {
  return count == 1 ? static_cast<uint32_t>(session_number)
                    : static_cast<uint32_t>(session_number << kPartitionTagBits) | partition;
}

// Of a tag that no daemon with `count` partitions made, anything below kPartitionsMax: check it.
constexpr PartitionNo partition_of_tag(uint32_t tag, uint32_t count) {
  return count == 1 ? PartitionNo{0} : static_cast<PartitionNo>(tag & (limits::kPartitionsMax - 1));
}

}  // namespace pqd
