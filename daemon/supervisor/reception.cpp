#include "daemon/supervisor/reception.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "daemon/supervisor/open_files.h"
#include "shm/seqpacket.h"
#include "shm/sizes.h"

namespace pqd {
namespace {

// Who has not said hello yet, beside the sessions: all of them may come back at once. What comes above is
// closed without a word. Strangers are counted apart, so that they keep nobody out.
constexpr size_t kGreetingsExtra = 64;
constexpr size_t kStrangersMax = 32;
// Whom one user has beyond its sessions is told so; whom it has beyond these is closed without a word.
constexpr size_t kGreetingsOfUserExtra = 8;
// Longer than the hello of any version.
constexpr size_t kHelloBytesMax = 1024;

std::string served_words(const AccessRules& rules) {
  const std::string masters =
      rules.daemon_uid == 0 ? "root" : fmt::format("uid {} and root", rules.daemon_uid);
  return masters + (rules.lets_others_in()
                        ? ", and whom [access] in its configuration names"
                        : "; an administrator lets others in by [access] in its configuration");
}

std::string versions_text(std::span<const std::byte> message) {
  uint32_t abi_min = 0;
  uint32_t abi_max = 0;
  std::memcpy(&abi_min, message.data() + offsetof(Hello, abi_min), sizeof abi_min);
  std::memcpy(&abi_max, message.data() + offsetof(Hello, abi_max), sizeof abi_max);
  return fmt::format(
      "this pqd speaks version {} of the shared memory's ABI, the client's library versions {} to {}: bring "
      "the older of the two up to date",
      kAbiVersion, abi_min, abi_max);
}

}  // namespace

Reception::Reception(EventLoop& loop, SessionTable& table, SessionCounter& counter, EngineProcess& engine,
                     FdStore& store, std::vector<int> wake_fds, const SupervisorOptions& options)
    : loop_(loop),
      table_(table),
      counter_(counter),
      engine_(engine),
      store_(store),
      wake_fds_(std::move(wake_fds)),
      options_(options),
      served_(served_words(options.access)),
      closer_(loop) {}

// The clients' sockets are left to the process's end, which does not wait, see SocketCloser. Not ended: who
// was left with the service manager goes on.
Reception::~Reception() {
  loop_.cancel_timer(open_timer_);
  table_.release_sockets();
}

void Reception::arrived(UniqueFd socket) {
  if (!admit(socket)) closer_.close(std::move(socket));
}

bool Reception::admit(UniqueFd& socket) {
  const auto peer = peer_of(socket.get(), options_.access);
  if (!peer) return false;
  Session nobody;
  nobody.peer = *peer;
  if (leaves_few(socket.get(), kFilesKept)) return turn_away(nobody, no_open_files_text());
  const bool stranger = !Rights(options_.access, peer->uid, peer->groups).any();
  if (table_.greetings(stranger) >= (stranger ? kStrangersMax : options_.sessions_max + kGreetingsExtra))
    return turn_away(nobody, "too many connections that have not said hello");
  if (!options_.access.is_master(peer->uid) &&
      table_.count_of_user(peer->uid) >= options_.user_sessions_max + kGreetingsOfUserExtra)
    return turn_away(nobody, "its user has too many connections");
  Session& session = table_.add(std::move(socket), *peer, stranger);
  const ConnectionId id = session.id;
  watch(session);
  session.hello_timer = loop_.arm_timer(EventLoop::monotonic_ns() + options_.hello_timeout_ns, [this, id] {
    Session* late = table_.find(id);
    if (late == nullptr) return;
    warn(*late, "is closed: it did not say hello in time");
    drop(*late);
  });
  return true;
}

void Reception::watch(Session& session) {
  session.watch = loop_.watch(session.socket.get(), [this, id = session.id] { readable(id); });
}

void Reception::readable(ConnectionId id) {
  Session* session = table_.find(id);
  if (session == nullptr) return;
  // What it sends in between is looked at in the next turn: descriptors are not received, they would be ours
  // to close.
  const NextMessage next = next_message(session->socket.get());
  if (next == NextMessage::kNone) return;
  if (next == NextMessage::kWithFds) {
    warn(*session, "is closed: it sent descriptors");
    return drop(*session);
  }
  std::array<std::byte, kHelloBytesMax> buffer;
  const auto received = receive_message(session->socket.get(), buffer, 0, WireTimeout::zero());
  if (!received && received.error().fault == WireFault::kTimeout) return;
  if (!received) {
    if (received.error().fault != WireFault::kClosed)
      warn(*session, fmt::format("is closed: {}", wire_fault_text(received.error().fault)));
    else if (session->state == SessionState::kLive)
      spdlog::info("{} has ended", session->words());
    return drop(*session);
  }
  if (session->state == SessionState::kGreeting)
    return greeted(*session, std::span(buffer).first(received->bytes));
  warn(*session, "is closed: it spoke after its hello");
  drop(*session);
}

void Reception::greeted(Session& session, std::span<const std::byte> message) {
  loop_.cancel_timer(session.hello_timer);
  const auto hello = check_hello(message);
  // Whom we do not know gets to know nothing, but for the reason.
  if (session.stranger)
    return refuse(session, {Error::kUnauthorized, fmt::format("uid {} may not use this pqd: it serves {}",
                                                              session.peer.uid, served_)});
  if (!hello && hello.error().fault == WireFault::kWrongAbi)
    return refuse(session, {Error::kInvalidRequest, versions_text(message)});
  if (!hello) {
    warn(session, fmt::format("is closed: {}", wire_fault_text(hello.error().fault)));
    return drop(session);
  }
  session.hello = *hello;
  session.partition = hello->partition;
  // Every job that may be there has to fit into every consumer's ring.
  session.hello.sizes.deliveries_bytes =
      std::max(session.hello.sizes.deliveries_bytes, deliveries_bytes_for(options_.delivered_payload_bytes));
  if (const auto no = objection(session)) return refuse(session, *no);
  session.state = SessionState::kParked;
  if (engine_.serving()) open_some();
}

std::optional<Reception::No> Reception::objection(const Session& session) const {
  if (!door_open_) return No{Error::kUnavailable, "pqd is stopping: connect again when it is back"};
  if (session.partition >= options_.partitions)
    return No{Error::kInvalidRequest,
              fmt::format("partition {} is asked for, and this pqd has {}: ask again without one, its answer "
                          "says how many there are",
                          session.partition, options_.partitions)};
  if (table_.size() - table_.count(SessionState::kGreeting) >= options_.sessions_max)
    return No{Error::kUnavailable,
              fmt::format("all {} sessions are taken: try again later, or raise sessions_max",
                          options_.sessions_max)};
  if (!options_.access.is_master(session.peer.uid) &&
      table_.count_of_user(session.peer.uid) > options_.user_sessions_max)
    return No{Error::kUnavailable,
              fmt::format("uid {} has all of its {} sessions: end some, or raise user_sessions_max",
                          session.peer.uid, options_.user_sessions_max)};
  return too_large(session.hello.sizes, session.peer.uid);
}

std::optional<Reception::No> Reception::too_large(const SegmentSizes& sizes, uint32_t uid) const {
  const uint64_t wanted = session_bytes(sizes);
  const auto beyond = [wanted](uint64_t taken, uint64_t most) {
    return wanted > most - std::min(taken, most);
  };
  if (beyond(table_.memory_bytes(), options_.memory_bytes_max))
    return No{Error::kUnavailable,
              fmt::format("{} MiB of rings are asked for, of {} MiB for all sessions {} are taken: ask for "
                          "smaller rings, or try again later",
                          wanted >> 20, options_.memory_bytes_max >> 20, table_.memory_bytes() >> 20)};
  const uint64_t of_user = table_.memory_bytes_of_user(uid);
  if (!options_.access.is_master(uid) && beyond(of_user, options_.user_memory_bytes_max))
    return No{
        Error::kUnavailable,
        fmt::format("{} MiB of rings are asked for, of {} MiB for uid {} it has taken {}: ask for smaller "
                    "rings, end some sessions, or raise user_session_memory_bytes",
                    wanted >> 20, options_.user_memory_bytes_max >> 20, uid, of_user >> 20)};
  return std::nullopt;
}

void Reception::session_fault(uint64_t number, SessionFault why) {
  Session* session = table_.find_number(number);
  if (session == nullptr) return;
  if (why == SessionFault::kBrokeRules) warn(*session, "is closed: it broke the rules of its rings");
  if (why == SessionFault::kUnusable && session->state == SessionState::kOpening)
    return refuse(*session, {Error::kUnavailable,
                             "the engine cannot map the session's memory: raise the limit of its memory "
                             "(MemoryMax= of the unit, ulimit -v), or ask for smaller rings"});
  drop(*session);
}

void Reception::close_door() {
  door_open_ = false;
  for (const auto state : {SessionState::kGreeting, SessionState::kParked, SessionState::kOpening})
    for (const ConnectionId id : table_.in_state(state))
      if (Session* session = table_.find(id))
        refuse(*session, {Error::kUnavailable, "pqd is stopping: connect again when it is back"},
               store_.usable());
}

void Reception::refuse(Session& session, const No& no, bool again) {
  warn(session, fmt::format("is refused: {}", no.text));
  // A Hello that we close upon unread would reach its sender as ECONNRESET, in place of the reason.
  std::array<std::byte, kHelloBytesMax> unread;
  const bool unheard =
      session.state == SessionState::kGreeting && next_message(session.socket.get()) == NextMessage::kPlain;
  if (unheard) [[maybe_unused]]
    const auto drained = receive_message(session.socket.get(), unread, 0, WireTimeout::zero());
  [[maybe_unused]] const auto sent =
      send_refusal(session.socket.get(), static_cast<uint8_t>(no.code), no.text, WireTimeout::zero(), again);
  drop(session);
}

void Reception::drop(Session& session) {
  loop_.cancel_timer(session.hello_timer);
  loop_.unwatch(session.watch);
  if (session.has_files()) {
    engine_.close_session(session.number, session.partition);
    store_.forget(session.number);
  }
  closer_.close(std::move(session.socket));
  table_.remove(session.id);
}

void Reception::warn(const Session& session, std::string_view what) {
  const auto quiet = log_limit_.allow(EventLoop::monotonic_ns());
  if (!quiet) return;
  if (*quiet > 0) spdlog::warn("{} more lines of this kind were not written", *quiet);
  spdlog::warn("{} {}", session.words(), what);
}

bool Reception::turn_away(const Session& session, std::string_view why) {
  warn(session, fmt::format("is turned away: {}", why));
  return false;
}

}  // namespace pqd
