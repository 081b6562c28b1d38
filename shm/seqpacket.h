// One message with file descriptors over a SOCK_SEQPACKET socket, with a deadline, refused unless it is
// whole. Any thread, one at a time for each end of a socket.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "shm/unique_fd.h"

namespace pqd {

enum class WireFault : uint8_t {
  kTimeout,
  kClosed,      // the peer went away
  kWrongSize,   // short, or longer than the message is
  kNotPqd,      // wrong magic or kind
  kWrongAbi,    // no version in common
  kWrongFds,    // too few, too many
  kWrongField,  // a value out of its range
  kSystem,      // errno is in `number`
};
struct WireError {
  WireFault fault = WireFault::kSystem;
  int number = 0;  // also of kWrongFds, EMFILE: some were lost, as a rule at the limit of open files
};
// A sentence for the log.
std::string_view wire_fault_text(WireFault fault);

using WireTimeout = std::chrono::milliseconds;

struct ReceivedMessage {
  size_t bytes = 0;
  std::vector<UniqueFd> fds;
};

// One message, whole or not at all. The socket may be blocking or not.
std::expected<void, WireError> send_message(int socket, std::span<const std::byte> message,
                                            std::span<const int> fds, WireTimeout timeout);
template <class Pod>
std::expected<void, WireError> send_message(int socket, const Pod& message, std::span<const int> fds,
                                            WireTimeout timeout) {
  static_assert(std::is_trivially_copyable_v<Pod>);
  return send_message(socket, std::as_bytes(std::span(&message, 1)), fds, timeout);
}

// A message longer than `buffer`, or with more descriptors than `fds_max`, is refused; descriptors that came
// with a refused message are closed. Those that are returned are close-on-exec.
std::expected<ReceivedMessage, WireError> receive_message(int socket, std::span<std::byte> buffer,
                                                          size_t fds_max, WireTimeout timeout);

// What receive_message() would take next, which stays where it is. REQUIRES: refuse_extras(socket).
enum class NextMessage : uint8_t {
  kNone,   // not yet
  kPlain,  // a message, or the end
  kWithFds,
};
NextMessage next_message(int socket);

// From now on nobody can send descriptors to this Unix socket, nor to those that it accepts (EPERM), nor does
// anything else come with a message. Descriptors that are on their way already come through; all do on a
// kernel before Linux 6.16.
void refuse_extras(int socket);

}  // namespace pqd
