// The messages over a session's SOCK_SEQPACKET socket: the client's Hello, the daemon's Welcome with five
// file descriptors, or its Refusal. Afterwards the client is silent, and the daemon says one thing at most:
// that a new supervisor has taken the session over (Renewal). The socket's closing is the session's end.
// Fixed sizes, no pointers, host byte order (one host). Any thread.
#pragma once

#include <expected>
#include <span>
#include <string_view>
#include <variant>

#include "shm/abi.h"
#include "shm/seqpacket.h"

namespace pqd {

enum class MessageKind : uint32_t { kHello = 1, kWelcome = 2, kRefusal = 3, kRenewal = 4 };

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
  // Not sent for the first partition, which every daemon has.
  uint32_t partition = 0;  // wanted; below kPartitionsMax
  uint32_t reserved = 0;
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
  // Only to clients that know kFeaturePartitions; without it there is one.
  uint32_t partitions = 1;  // of the daemon
  uint32_t partition = 0;   // this session's
};

struct Refusal {
  uint64_t magic = kMagic;
  MessageKind kind = MessageKind::kRefusal;
  uint32_t abi_min = kAbiVersion;
  uint32_t abi_max = kAbiVersion;
  uint8_t code = 0;   // the error
  uint8_t again = 0;  // 1: whoever dials again at once waits for the next supervisor and is not refused
  std::array<uint8_t, 2> reserved{};
  std::array<char, 240> text{};
};

// To clients that know kFeatureRenewal. What the earlier Down held, the new one holds too.
struct Renewal {
  uint64_t magic = kMagic;
  MessageKind kind = MessageKind::kRenewal;
  uint32_t abi = kAbiVersion;
  uint64_t session = 0;
};
static_assert(sizeof(Hello) == 128 && std::is_trivially_copyable_v<Hello>);
static_assert(sizeof(Welcome) == 96 && std::is_trivially_copyable_v<Welcome>);
static_assert(sizeof(Refusal) == 264 && std::is_trivially_copyable_v<Refusal>);
static_assert(sizeof(Renewal) == 24 && std::is_trivially_copyable_v<Renewal>);

// As much of it as the other side is sure to know: what is sent.
inline constexpr size_t kHelloBytesFirst = offsetof(Hello, partition);
inline constexpr size_t kWelcomeBytesFirst = offsetof(Welcome, partitions);
static_assert(kHelloBytesFirst == 120 && kWelcomeBytesFirst == 88);
std::span<const std::byte> wire_bytes(const Hello& hello);
std::span<const std::byte> wire_bytes(const Welcome& welcome);

// What comes with a Welcome, in this order.
struct SessionFds {
  UniqueFd up;
  UniqueFd down;
  UniqueFd wake;
  UniqueFd client_doorbell;  // eventfd: the client writes, the engine sleeps on it
  UniqueFd engine_doorbell;  // the client's end, see ClientBellEnds: the client sleeps on it
};
inline constexpr size_t kSessionFdCount = 5;

// What comes with a Renewal, in this order.
struct RenewalFds {
  UniqueFd down;
  UniqueFd wake;
};
inline constexpr size_t kRenewalFdCount = 2;

// Daemon. A Hello of kWrongAbi is told apart so that it can be answered with a Refusal that names ours. Its
// sizes have passed check_sizes() with the defaults filled in, its name ends in a zero and is printable, its
// partition may exist in some daemon and is the first unless it knows kFeaturePartitions.
std::expected<Hello, WireError> receive_hello(int socket, WireTimeout timeout);
// The same check without the socket, for who has received the bytes itself.
std::expected<Hello, WireError> check_hello(std::span<const std::byte> message);

// Client. Of a welcome, partition < partitions <= kPartitionsMax.
struct Accepted {
  Welcome welcome;
  SessionFds fds;
};
using Reply = std::variant<Accepted, Refusal>;
// kClosed also says that the daemon died in the middle of it and another one is there already: dial again.
std::expected<Reply, WireError> receive_reply(int socket, WireTimeout timeout);
// Does not wait: kTimeout says that there is none. One for another session is a kWrongField.
std::expected<RenewalFds, WireError> receive_renewal(int socket, uint64_t session);

std::expected<void, WireError> send_welcome(int socket, const Welcome& welcome, const SessionFds& fds,
                                            WireTimeout timeout);
// Text beyond the field is cut.
std::expected<void, WireError> send_refusal(int socket, uint8_t code, std::string_view text,
                                            WireTimeout timeout, bool again = false);
std::string_view refusal_text(const Refusal& refusal);

}  // namespace pqd
