// Ways for records of 64 bytes from one process to another. Made before the sides are forked; each side opens
// its end in its own process.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pqd::bench {

struct Record {
  uint64_t number = 0;
  uint64_t rest[7] = {};
};
static_assert(sizeof(Record) == 64);

// The last one, so that a receiver that sleeps knows that no more will come.
inline constexpr uint64_t kLastRecord = UINT64_MAX;

class Transport {
 public:
  virtual ~Transport() = default;
  virtual void open_sender() {}
  virtual void open_receiver() {}
  // Sends all; waits for room. Throws std::runtime_error when it cannot.
  virtual void send(std::span<const Record> records) = 0;
  // Waits for one at least, takes what is there; how many. Throws as well.
  virtual size_t receive(std::span<Record> into) = 0;
  // Each end's last word, before its process ends: what was sent arrives all the same.
  virtual void finish() {}
};

struct TransportKind {
  const char* name;
  const char* how;
  std::unique_ptr<Transport> (*make)();  // throws std::runtime_error when it is not to be had
};

std::unique_ptr<Transport> make_pipe();
std::unique_ptr<Transport> make_seqpacket();
std::unique_ptr<Transport> make_posix_queue();
std::unique_ptr<Transport> make_boost_queue();
std::unique_ptr<Transport> make_zeromq();
std::unique_ptr<Transport> make_iceoryx();

// All whose libraries this program was built with.
std::vector<TransportKind> peer_transports();

[[noreturn]] void throw_errno(const char* what);

}  // namespace pqd::bench
