// A client as one of ABI version 1 is, whatever the headers say today: every offset and size stands here as a
// number, from the pages of shm/ and core/ as they were. It shares no line with the library, and is not to be
// changed with it: what it cannot do any more, a program that was not built anew cannot either. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shm/unique_fd.h"

namespace pqd::test {

using Record = std::string;  // bytes

// Little-endian, as both ends are on one host.
template <class Number>
Number number_at(std::string_view bytes, size_t offset) {
  Number number{};
  if (offset + sizeof number <= bytes.size())
    std::copy_n(bytes.data() + offset, sizeof number, reinterpret_cast<char*>(&number));
  return number;
}

class RawSession {
 public:
  ~RawSession();
  RawSession() = default;
  RawSession(const RawSession&) = delete;
  RawSession& operator=(const RawSession&) = delete;

  // Says hello and takes what is answered; false when that is no Welcome with five files.
  bool open(const std::string& socket, const Record& hello);
  const Record& reply() const { return reply_; }
  uint32_t tag() const { return number_at<uint32_t>(reply_, 20); }

  // Into the lane, for the daemon to see with the next publish().
  void write(size_t lane, const Record& record);
  // Of all that was written; returns when the broker has decided on it, false when the watchdog barks.
  bool publish(size_t lane);
  // What has come, in its order; false when the watchdog barks before there are so many.
  bool wait_receipts(size_t count);
  bool wait_deliveries(size_t count);
  bool wait_ends_of_answers(size_t count);
  const std::vector<Record>& receipts() const { return receipts_; }
  const std::vector<Record>& deliveries() const { return deliveries_; }
  const std::vector<Record>& answers() const { return answers_; }

 private:
  struct Ring {
    size_t at = 0;  // in its file
    size_t bytes = 0;
    uint64_t cursor = 0;
  };

  bool receive(int socket);
  bool map();
  uint64_t load(size_t down_offset) const;
  void store(size_t up_offset, uint64_t value);
  void ring_bell();
  void take_receipts();
  void take(Ring& ring, size_t tail_offset, size_t read_offset, std::vector<Record>& into);
  Record bytes_of(const Ring& ring, uint64_t cursor, size_t bytes) const;

  UniqueFd socket_;
  Record reply_;
  std::vector<UniqueFd> files_;  // up, down, wake, client's doorbell, engine's doorbell
  char* up_ = nullptr;
  const char* down_ = nullptr;
  size_t up_bytes_ = 0;
  size_t down_bytes_ = 0;
  std::array<Ring, 5> lanes_{};
  std::array<uint64_t, 5> written_{};  // records of each lane
  Ring receipt_slots_, delivery_ring_, answer_ring_;
  std::vector<Record> receipts_, deliveries_, answers_;
};

}  // namespace pqd::test
