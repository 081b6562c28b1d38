#include "bindings/cpp/client_session.h"

#include <sys/socket.h>
#include <time.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "bindings/cpp/dial.h"
#include "shm/memfd.h"

namespace pqd {
namespace {

constexpr Deadline::Milliseconds kPauseFirst{10};

Failure wire_failure(const std::string& path, const WireError& error) {
  const std::string at = "the daemon at " + path;
  switch (error.fault) {
    case WireFault::kTimeout:
      return {Error::kUnavailable, at + " did not answer in time; see its log", kAwayRetryMs};
    case WireFault::kClosed:
      return {Error::kUnavailable, at + " closed the connection before it answered; see its log",
              kAwayRetryMs};
    case WireFault::kWrongAbi:
      return {Error::kSystemError, at + " speaks another version than this library's " +
                                       std::to_string(kAbiVersion) + "; install the same release of both"};
    case WireFault::kSystem:
      return {Error::kSystemError,
              at + " could not be talked to: " + std::generic_category().message(error.number)};
    case WireFault::kWrongFds:
      if (error.number == EMFILE) return {Error::kSystemError, no_descriptors_text(path)};
      [[fallthrough]];
    default:
      return {Error::kSystemError,
              at + " answered something unexpected: " + std::string(wire_fault_text(error.fault))};
  }
}

Failure refusal_failure(const std::string& path, const Refusal& refusal) {
  if (refusal.abi_min > kAbiVersion || refusal.abi_max < kAbiVersion) {
    return {Error::kSystemError, "this library speaks version " + std::to_string(kAbiVersion) +
                                     ", the daemon at " + path + " versions " +
                                     std::to_string(refusal.abi_min) + " to " +
                                     std::to_string(refusal.abi_max) + "; install the same release of both"};
  }
  const auto code = refusal.code != 0 ? static_cast<Error>(refusal.code) : Error::kUnavailable;
  std::string text(refusal_text(refusal));
  return {code,
          "the daemon at " + path + " refused: " + (text.empty() ? std::string(error_text(code)) : text),
          code == Error::kUnavailable ? kAwayRetryMs : 0};
}

std::unexpected<Failure> map_failure(const SysError& error) {
  return fail_with(Error::kSystemError, "the session's memory could not be mapped (" +
                                            std::string(error.call) +
                                            "): " + std::generic_category().message(error.number));
}

// One way through the handshake.
struct Attempt {
  UniqueFd socket;
  Result<Accepted> reply;
  bool closed = false;  // without an answer
  bool again = false;   // a daemon that restarts would let us in now, or soon
};

Attempt shake_hands(const std::string& path, const Hello& hello, Deadline deadline) {
  auto socket = dial(path, deadline);
  if (!socket) return {{}, std::unexpected(std::move(socket.error()))};
  const auto failed = [&](const WireError& error) {
    const bool closed = error.fault == WireFault::kClosed;
    return Attempt{{}, std::unexpected(wire_failure(path, error)), closed, closed};
  };
  if (auto sent = send_message(socket->get(), wire_bytes(hello), {}, deadline.left()); !sent)
    return failed(sent.error());
  auto reply = receive_reply(socket->get(), deadline.left());
  if (!reply) return failed(reply.error());
  if (const auto* refusal = std::get_if<Refusal>(&*reply))
    return {{}, std::unexpected(refusal_failure(path, *refusal)), false, refusal->again != 0};
  return {std::move(*socket), std::move(std::get<Accepted>(*reply))};
}

}  // namespace

Result<std::unique_ptr<ClientSession>> ClientSession::open(const std::string& path, const Hello& hello,
                                                           Deadline deadline) {
  auto attempt = shake_hands(path, hello, deadline);
  for (auto rest = kPauseFirst; !attempt.reply && attempt.again && !deadline.passed(); rest *= 2) {
    std::this_thread::sleep_for(std::min(rest, deadline.left()));
    const bool closed = attempt.closed;
    attempt = shake_hands(path, hello, deadline);
    // Once: a daemon may die at any moment, and one that always closes is not one that dies.
    if (closed && attempt.closed) break;
  }
  if (!attempt.reply) return std::unexpected(std::move(attempt.reply.error()));
  UniqueFd& socket = attempt.socket;
  Accepted& accepted = *attempt.reply;
  if (accepted.welcome.partition != hello.partition)
    return fail_with(Error::kSystemError, "the daemon at " + path + " gave a session of partition " +
                                              std::to_string(accepted.welcome.partition) + " for one of " +
                                              std::to_string(hello.partition));
  auto session = std::make_unique<ClientSession>();
  session->socket = std::move(socket);
  session->welcome = accepted.welcome;
  if (auto mapped = session->map(std::move(accepted.fds)); !mapped) {
    return std::unexpected(std::move(mapped.error()));
  }
  session->attach();
  return session;
}

Result<void> ClientSession::map(SessionFds fds) {
  const SegmentSizes& sizes = welcome.sizes;
  for (const auto& [fd, bytes] : {std::pair{fds.up.get(), up_layout(sizes).file_bytes()},
                                  std::pair{fds.down.get(), down_layout(sizes).file_bytes()},
                                  std::pair{fds.wake.get(), wake_layout().file_bytes()}}) {
    if (auto checked = check_memfd(fd, bytes); !checked) return map_failure(checked.error());
  }
  auto up_mapped = UpSegment::map(fds.up.get(), sizes, Access::kReadWrite, OnFork::kDrop);
  if (!up_mapped) return map_failure(up_mapped.error());
  auto down_mapped = DownSegment::map(fds.down.get(), sizes, Access::kReadOnly, OnFork::kDrop);
  if (!down_mapped) return map_failure(down_mapped.error());
  auto wake_mapped = WakeSegment::map(fds.wake.get(), Access::kReadOnly, OnFork::kDrop);
  if (!wake_mapped) return map_failure(wake_mapped.error());
  up = std::move(*up_mapped);
  down = std::move(*down_mapped);
  wake = std::move(*wake_mapped);
  client_doorbell = std::move(fds.client_doorbell);
  engine_doorbell = std::move(fds.engine_doorbell);
  return {};
}

void ClientSession::attach() {
  const SegmentSizes& sizes = welcome.sizes;
  UpHeader& mine = up.header();
  const DownSegment& theirs = down;
  const DownHeader& head = theirs.header();
  for (size_t i = 0; i < kLaneCount; ++i) {
    writers[i] =
        RingWriter(up.ring_data(static_cast<Lane>(i)), sizes.lane_bytes[i], mine.tail[i], head.lanes[i].head);
  }
  receipts = ReceiptReader(theirs.receipts(), sizes.receipt_slots, head.receipts_written, mine.receipts_read);
  deliveries = TrustingRingReader(theirs.deliveries_data(), sizes.deliveries_bytes, head.deliveries_tail,
                                  mine.deliveries_read);
  answers =
      TrustingRingReader(theirs.answers_data(), sizes.answers_bytes, head.answers_tail, mine.answers_read);
  const WakeSegment& wake_view = wake;
  bell = EngineBell(wake_view.page(), head, client_doorbell.get());
  waiter = Waiter(mine, engine_doorbell.get());
}

Result<void> ClientSession::renew(const RenewalFds& fds) {
  for (const auto& [fd, bytes] : {std::pair{fds.down.get(), down_layout(welcome.sizes).file_bytes()},
                                  std::pair{fds.wake.get(), wake_layout().file_bytes()}}) {
    if (auto checked = check_memfd(fd, bytes); !checked) return map_failure(checked.error());
  }
  if (auto replaced = down.replace(fds.down.get()); !replaced) return map_failure(replaced.error());
  if (auto replaced = wake.replace(fds.wake.get()); !replaced) return map_failure(replaced.error());
  // A new one: this page counts armings afresh, and what was rung for on the other says nothing here.
  const WakeSegment& wake_view = wake;
  const DownSegment& theirs = down;
  bell = EngineBell(wake_view.page(), theirs.header(), client_doorbell.get());
  return {};
}

JobId ClientSession::next_id(Lane lane) {
  timespec now{};
  // Coarse: a few milliseconds do not matter in an id, the nanoseconds that it costs do.
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  const auto unix_ms =
      static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
  const size_t index = lane_index(lane);
  return JobId::make(unix_ms, welcome.tag, static_cast<uint8_t>(index), ++lanes[index].counter);
}

void ClientSession::hang_up() {
  ::shutdown(socket.get(), SHUT_RDWR);
  socket.reset();
}

bool ClientSession::load_marks() {
  bool moved = false;
  const DownSegment& theirs = down;
  for (size_t i = 0; i < kLaneCount; ++i) {
    const Watermarks now = load_watermarks(theirs.header().lanes[i]);
    const std::array<uint64_t, kDurabilityCount> values{now.synced, now.written, now.applied};
    for (size_t d = 0; d < kDurabilityCount; ++d) {
      if (values[d] <= lanes[i].marks[d]) continue;
      lanes[i].marks[d] = values[d];
      moved = true;
    }
  }
  return moved;
}

}  // namespace pqd
