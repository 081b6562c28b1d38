#include "shm/handshake.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/limits.h"
#include "shm/seqpacket.h"
#include "shm/sizes.h"

namespace pqd {
namespace {

// More than any message of this ABI, so that one of another version is received whole and judged by its head.
constexpr size_t kMessageBytesMax = 1024;

// What the messages of every version begin with.
struct MessageHead {
  uint64_t magic = 0;
  MessageKind kind = MessageKind::kHello;
  uint32_t abi_first = 0;   // Hello, Refusal: abi_min; Welcome: abi
  uint32_t abi_second = 0;  // Hello, Refusal: abi_max
  uint32_t other = 0;
};
static_assert(sizeof(MessageHead) == 24);
static_assert(offsetof(Hello, abi_min) == offsetof(MessageHead, abi_first));
static_assert(offsetof(Hello, abi_max) == offsetof(MessageHead, abi_second));
static_assert(offsetof(Welcome, abi) == offsetof(MessageHead, abi_first));
static_assert(offsetof(Renewal, abi) == offsetof(MessageHead, abi_first));

std::unexpected<WireError> fault(WireFault what) { return std::unexpected(WireError{what, 0}); }

std::expected<MessageHead, WireError> read_head(std::span<const std::byte> message) {
  if (message.size() < sizeof(MessageHead)) return fault(WireFault::kWrongSize);
  MessageHead head;
  std::memcpy(&head, message.data(), sizeof head);
  if (head.magic != kMagic) return fault(WireFault::kNotPqd);
  return head;
}

// `bytes_first`: the size before it grew, whose senders mean the defaults of what came later.
template <class Pod>
std::expected<Pod, WireError> read_whole(std::span<const std::byte> message,
                                         size_t bytes_first = sizeof(Pod)) {
  if (message.size() != sizeof(Pod) && message.size() != bytes_first) return fault(WireFault::kWrongSize);
  Pod value;
  std::memcpy(&value, message.data(), message.size());
  return value;
}

bool printable(std::span<const char> text) {
  const auto end = std::find(text.begin(), text.end(), '\0');
  return end != text.end() && std::all_of(text.begin(), end, [](char c) { return c >= ' ' && c <= '~'; });
}

std::expected<Reply, WireError> read_welcome(std::span<const std::byte> message, std::vector<UniqueFd>& fds) {
  auto welcome = read_whole<Welcome>(message, kWelcomeBytesFirst);
  if (!welcome) return std::unexpected(welcome.error());
  if (fds.size() != kSessionFdCount) return fault(WireFault::kWrongFds);
  if (check_sizes(welcome->sizes)) return fault(WireFault::kWrongField);
  if (welcome->partitions > limits::kPartitionsMax || welcome->partition >= welcome->partitions)
    return fault(WireFault::kWrongField);
  return Accepted{*welcome, SessionFds{std::move(fds[0]), std::move(fds[1]), std::move(fds[2]),
                                       std::move(fds[3]), std::move(fds[4])}};
}

std::expected<Reply, WireError> read_refusal(std::span<const std::byte> message,
                                             const std::vector<UniqueFd>& fds) {
  auto refusal = read_whole<Refusal>(message);
  if (!refusal) return std::unexpected(refusal.error());
  if (!fds.empty()) return fault(WireFault::kWrongFds);
  return *refusal;
}

}  // namespace

std::string_view wire_fault_text(WireFault fault) {
  switch (fault) {
    case WireFault::kTimeout:
      return "the peer did not answer in time";
    case WireFault::kClosed:
      return "the peer closed the connection";
    case WireFault::kWrongSize:
      return "a message has the wrong size";
    case WireFault::kNotPqd:
      return "the peer does not speak this protocol";
    case WireFault::kWrongAbi:
      return "the peers have no ABI version in common";
    case WireFault::kWrongFds:
      return "a message came with the wrong number of descriptors";
    case WireFault::kWrongField:
      return "a field of a message is out of its range";
    case WireFault::kSystem:
      return "a system call failed";
  }
  return "unknown fault";
}

std::span<const std::byte> wire_bytes(const Hello& hello) {
  return std::as_bytes(std::span(&hello, 1)).first(hello.partition == 0 ? kHelloBytesFirst : sizeof hello);
}

std::span<const std::byte> wire_bytes(const Welcome& welcome) {
  const bool knows = (welcome.features & kFeaturePartitions) != 0;
  return std::as_bytes(std::span(&welcome, 1)).first(knows ? sizeof welcome : kWelcomeBytesFirst);
}

std::expected<Hello, WireError> check_hello(std::span<const std::byte> message) {
  const auto head = read_head(message);
  if (!head) return std::unexpected(head.error());
  if (head->kind != MessageKind::kHello) return fault(WireFault::kNotPqd);
  // Before the size: a client of another version may send another hello.
  if (head->abi_first > kAbiVersion || head->abi_second < kAbiVersion) return fault(WireFault::kWrongAbi);
  auto hello = read_whole<Hello>(message, kHelloBytesFirst);
  if (!hello) return hello;
  hello->sizes = with_defaults(hello->sizes);
  if (check_sizes(hello->sizes) || !printable(hello->client_name)) return fault(WireFault::kWrongField);
  const uint32_t partitions = (hello->features & kFeaturePartitions) != 0 ? limits::kPartitionsMax : 1;
  if (hello->partition >= partitions) return fault(WireFault::kWrongField);
  return hello;
}

std::expected<Hello, WireError> receive_hello(int socket, WireTimeout timeout) {
  std::array<std::byte, kMessageBytesMax> buffer;
  const auto received = receive_message(socket, buffer, 0, timeout);
  if (!received) return std::unexpected(received.error());
  return check_hello(std::span(buffer).first(received->bytes));
}

std::expected<Reply, WireError> receive_reply(int socket, WireTimeout timeout) {
  std::array<std::byte, kMessageBytesMax> buffer;
  auto received = receive_message(socket, buffer, kSessionFdCount, timeout);
  if (!received) return std::unexpected(received.error());
  const auto message = std::span<const std::byte>(buffer).first(received->bytes);
  const auto head = read_head(message);
  if (!head) return std::unexpected(head.error());
  if (head->kind == MessageKind::kRefusal) return read_refusal(message, received->fds);
  // The supervisor that was about to welcome us died, and the next one took us for welcomed.
  if (head->kind == MessageKind::kRenewal) return fault(WireFault::kClosed);
  if (head->kind != MessageKind::kWelcome) return fault(WireFault::kNotPqd);
  if (head->abi_first != kAbiVersion) return fault(WireFault::kWrongAbi);
  return read_welcome(message, received->fds);
}

std::expected<RenewalFds, WireError> receive_renewal(int socket, uint64_t session) {
  std::array<std::byte, kMessageBytesMax> buffer;
  auto received = receive_message(socket, buffer, kRenewalFdCount, WireTimeout::zero());
  if (!received) return std::unexpected(received.error());
  const auto message = std::span<const std::byte>(buffer).first(received->bytes);
  const auto head = read_head(message);
  if (!head) return std::unexpected(head.error());
  if (head->kind != MessageKind::kRenewal) return fault(WireFault::kNotPqd);
  if (head->abi_first != kAbiVersion) return fault(WireFault::kWrongAbi);
  const auto renewal = read_whole<Renewal>(message);
  if (!renewal) return std::unexpected(renewal.error());
  if (received->fds.size() != kRenewalFdCount) return fault(WireFault::kWrongFds);
  if (renewal->session != session) return fault(WireFault::kWrongField);
  return RenewalFds{std::move(received->fds[0]), std::move(received->fds[1])};
}

std::expected<void, WireError> send_welcome(int socket, const Welcome& welcome, const SessionFds& fds,
                                            WireTimeout timeout) {
  const std::array<int, kSessionFdCount> numbers{fds.up.get(), fds.down.get(), fds.wake.get(),
                                                 fds.client_doorbell.get(), fds.engine_doorbell.get()};
  return send_message(socket, wire_bytes(welcome), numbers, timeout);
}

std::expected<void, WireError> send_refusal(int socket, uint8_t code, std::string_view text,
                                            WireTimeout timeout, bool again) {
  Refusal refusal;
  refusal.code = code;
  refusal.again = again ? 1 : 0;
  // One byte less than the field, so that it always ends in a zero.
  std::copy_n(text.begin(), std::min(text.size(), refusal.text.size() - 1), refusal.text.begin());
  return send_message(socket, refusal, {}, timeout);
}

std::string_view refusal_text(const Refusal& refusal) {
  const auto end = std::find(refusal.text.begin(), refusal.text.end(), '\0');
  return {refusal.text.begin(), end};
}

}  // namespace pqd
