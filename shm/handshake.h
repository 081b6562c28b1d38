// The first and only messages over a session's SOCK_SEQPACKET socket: the client's Hello, the daemon's
// Welcome with five file descriptors, or its Refusal. Afterwards the socket is silent; its closing is the
// session's end. Fixed sizes, no pointers, host byte order (one host). Any thread.
#pragma once

#include <chrono>
#include <expected>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "shm/abi.h"
#include "shm/unique_fd.h"

namespace pqd {

enum class MessageKind : uint32_t { kHello = 1, kWelcome = 2, kRefusal = 3 };

using SessionSecret = std::array<uint8_t, 16>;

struct Hello {
  uint64_t magic = kMagic;
  MessageKind kind = MessageKind::kHello;
  uint32_t abi_min = kAbiVersion;
  uint32_t abi_max = kAbiVersion;
  uint32_t features = kFeatures;
  SegmentSizes sizes{{}, 0, 0, 0};  // wanted; each 0 = the default
  uint64_t resume_session = 0;      // 0 = a new one
  SessionSecret resume_secret{};
  uint64_t deliveries_seen = 0;  // number of the last delivery taken, when resuming
  std::array<char, 32> client_name{};
};

struct Welcome {
  uint64_t magic = kMagic;
  MessageKind kind = MessageKind::kWelcome;
  uint32_t abi = kAbiVersion;
  uint32_t features = 0;
  uint32_t tag = 0;  // of the job ids that this session makes
  uint64_t session = 0;
  SessionSecret secret{};
  SegmentSizes sizes;
  uint32_t max_payload_bytes = 0;
  uint32_t resumed = 0;  // 1: the earlier session's leases and unacknowledged submits are yours
};

struct Refusal {
  uint64_t magic = kMagic;
  MessageKind kind = MessageKind::kRefusal;
  uint32_t abi_min = kAbiVersion;
  uint32_t abi_max = kAbiVersion;
  uint8_t code = 0;  // the error
  std::array<uint8_t, 3> reserved{};
  std::array<char, 240> text{};
};
static_assert(sizeof(Hello) == 120 && std::is_trivially_copyable_v<Hello>);
static_assert(sizeof(Welcome) == 88 && std::is_trivially_copyable_v<Welcome>);
static_assert(sizeof(Refusal) == 264 && std::is_trivially_copyable_v<Refusal>);

// What comes with a Welcome, in this order.
struct SessionFds {
  UniqueFd up;
  UniqueFd down;
  UniqueFd wake;
  UniqueFd client_doorbell;  // eventfd: the client writes, the engine sleeps on it
  UniqueFd engine_doorbell;  // eventfd: the engine writes, the client sleeps on it
};
inline constexpr size_t kSessionFdCount = 5;

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
  int number = 0;
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

// Daemon. A Hello of kWrongAbi is told apart so that it can be answered with a Refusal that names ours. Its
// sizes have passed check_sizes() with the defaults filled in, its name ends in a zero and is printable.
std::expected<Hello, WireError> receive_hello(int socket, WireTimeout timeout);
// The same check without the socket, for who has received the bytes itself.
std::expected<Hello, WireError> check_hello(std::span<const std::byte> message);

// Client.
struct Accepted {
  Welcome welcome;
  SessionFds fds;
};
using Reply = std::variant<Accepted, Refusal>;
std::expected<Reply, WireError> receive_reply(int socket, WireTimeout timeout);

std::expected<void, WireError> send_welcome(int socket, const Welcome& welcome, const SessionFds& fds,
                                            WireTimeout timeout);
// Text beyond the field is cut.
std::expected<void, WireError> send_refusal(int socket, uint8_t code, std::string_view text,
                                            WireTimeout timeout);
std::string_view refusal_text(const Refusal& refusal);

}  // namespace pqd
