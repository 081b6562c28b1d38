// What the tests of this folder share: a ring of a chosen size in a real memory file, a whole session's two
// segments, records that can be told from torn ones, and children.
#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <vector>

#include "shm/memfd.h"
#include "shm/ring.h"
#include "shm/segment.h"
#include "shm/sizes.h"

namespace pqd::test {

inline constexpr auto kWatchdog = std::chrono::seconds(60);
inline constexpr int kWatchdogMs = 60'000;

inline bool past(std::chrono::steady_clock::time_point start) {
  return std::chrono::steady_clock::now() - start > kWatchdog;
}

inline UniqueFd make_event() { return UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

// How often it was rung since the last look.
inline uint64_t take_rings(const UniqueFd& event) {
  uint64_t count = 0;
  return ::read(event.get(), &count, sizeof count) == sizeof count ? count : 0;
}

// One page with two cursors, and a ring behind it that is mapped twice.
class TestRing {
 public:
  explicit TestRing(uint32_t capacity) : capacity_(capacity) {
    MappingLayout layout;
    layout.add(kPageBytes, 1);
    layout.add(capacity, 2);
    fd_ = create_memfd("pqd-test-ring", layout.file_bytes()).value();
    mapping_ = Mapping::map(fd_.get(), layout, Access::kReadWrite, OnFork::kInherit).value();
  }

  std::atomic<uint64_t>& tail() { return cursors()[0]; }
  std::atomic<uint64_t>& head() { return cursors()[8]; }
  std::byte* data() { return mapping_.part(1); }
  RingWriter writer() { return {data(), capacity_, tail(), head()}; }
  RingReader reader(RingPosition from = {}) { return {data(), capacity_, tail(), from}; }
  TrustingRingReader trusting_reader() { return {data(), capacity_, tail(), head()}; }

 private:
  std::atomic<uint64_t>* cursors() { return reinterpret_cast<std::atomic<uint64_t>*>(mapping_.base()); }

  uint32_t capacity_;
  UniqueFd fd_;
  Mapping mapping_;
};

inline SegmentSizes small_sizes() {
  SegmentSizes sizes;
  sizes.lane_bytes.fill(kRingBytesMin);
  sizes.receipt_slots = kReceiptSlotsMin;
  sizes.deliveries_bytes = sizes.answers_bytes = kRingBytesMin;
  return sizes;
}

// Every byte behind the size follows from the sequence, so that a torn or displaced record is seen.
inline uint32_t record_size(uint64_t sequence) {
  return 8 + static_cast<uint32_t>(sequence * 2654435761u % 293);
}
inline std::byte record_byte(uint64_t sequence, size_t index) {
  return static_cast<std::byte>(sequence * 131 + index * 7 + (sequence >> 8));
}
inline void fill_record(std::span<std::byte> record, uint64_t sequence) {
  const auto bytes = static_cast<uint32_t>(record.size());
  std::memcpy(record.data(), &bytes, sizeof bytes);
  for (size_t i = sizeof bytes; i < record.size(); ++i) record[i] = record_byte(sequence, i);
}
inline bool record_is(std::span<const std::byte> record, uint64_t sequence) {
  uint32_t bytes = 0;
  if (record.size() < sizeof bytes) return false;
  std::memcpy(&bytes, record.data(), sizeof bytes);
  if (bytes != record.size()) return false;
  for (size_t i = sizeof bytes; i < record.size(); ++i)
    if (record[i] != record_byte(sequence, i)) return false;
  return true;
}

// Writes record `sequence` without publishing it; false when there is no room.
inline bool write_record(RingWriter& writer, uint64_t sequence, uint32_t bytes) {
  const auto room = writer.reserve(bytes);
  if (room.empty()) return false;
  fill_record(room, sequence);
  writer.commit(bytes);
  return true;
}

// Runs `body` in a child; true when it returned true there. A child that hangs is ended by its own alarm.
template <class Body>
bool succeeds_in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace pqd::test
