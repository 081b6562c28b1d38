// An engine for tests of the supervisor: the real link, the real segments, no broker. What it does is decided
// by the words in its configuration and by what clients ring:
//
//   1  show yourself: the pid into engine_epoch, counts into lanes 0 and 1, ring back
//   2  die as if killed        3  call the session broken        4  exit, asking for a restart
//
// words: fail_starts=N die_opening=N counter=FILE (N starts, or N opened sessions, end in death; counted in
// FILE), gate=FILE (no kReady before it is there), hide_until=FILE (does not touch inherited sessions
// before), halt=1 (give up), deaf=1 (does not stop).
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "daemon/supervisor/engine_link.h"
#include "shm/segment.h"
#include "shm/seqpacket.h"

namespace pqd {
namespace {

constexpr WireTimeout kTimeout{10'000};

struct Served {
  SessionGrant grant;
  DownSegment down;
};

class StandIn {
 public:
  explicit StandIn(const EngineArgs& args) : link_fd_(args.link_fd) {
    std::istringstream words(args.config_toml);
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      if (equals != std::string::npos) settings_[word.substr(0, equals)] = word.substr(equals + 1);
    }
    // So that a test can see that the wake pages are writable and inherited, and whose each is:
    // before a client sees the epoch.
    static std::vector<WakeSegment> kept;
    for (uint32_t i = 0; i < args.partitions; ++i) {
      WakeSegment& wake =
          kept.emplace_back(WakeSegment::adopt(reinterpret_cast<std::byte*>(args.wake_bases[i])));
      wake.page().sleeping.store(static_cast<uint32_t>(::getpid()) + i);
    }
    // Only who has inherited sessions can be waited for by a client of them.
    if (args.session_count != 0) wait_for("hide_until");
    for (uint64_t i = 0; i < args.session_count; ++i) {
      const SessionGrant& grant = args.sessions[i];
      serve(grant, DownSegment::adopt(reinterpret_cast<std::byte*>(grant.down_base), grant.sizes));
    }
  }

  int run() {
    if (settings_.contains("halt")) {
      LinkMessage message;
      message.kind = LinkKind::kFatal;
      std::string("the store is somebody else's").copy(message.text, sizeof message.text - 1);
      send(message);
      return kEngineExitHalt;
    }
    if (dies("fail_starts")) return kEngineExitRestart;
    wait_for("gate");
    send(LinkKind::kReady, 0, 0);
    while (!stopped_) turn();
    return 0;
  }

 private:
  void serve(const SessionGrant& grant, DownSegment down) {
    sessions_.insert_or_assign(grant.session, Served{grant, std::move(down)});
    show();
  }

  void wait_for(const std::string& setting) {
    while (settings_.contains(setting) && ::access(settings_[setting].c_str(), F_OK) != 0) ::usleep(1000);
  }

  // True the first N times, over all incarnations.
  bool dies(const std::string& setting) {
    if (!settings_.contains(setting)) return false;
    int count = 0;
    std::ifstream(settings_["counter"]) >> count;
    if (count >= std::stoi(settings_[setting])) return false;
    std::ofstream(settings_["counter"]) << count + 1;
    return true;
  }

  void show() {
    for (auto& [number, session] : sessions_) {
      session.down.lane(Lane::kLow).head.store(closed_);
      session.down.lane(Lane::kNormal).head.store(sessions_.size());
      session.down.lane(Lane::kHigh).head.store(session.grant.resume_session);
      session.down.header().engine_state.store(static_cast<uint32_t>(EngineState::kServing));
      session.down.header().engine_epoch.store(static_cast<uint64_t>(::getpid()));
    }
  }

  void turn() {
    std::vector<pollfd> polls{{.fd = link_fd_, .events = POLLIN, .revents = 0}};
    std::vector<uint64_t> numbers{0};
    for (const auto& [number, session] : sessions_) {
      polls.push_back({.fd = session.grant.client_doorbell_fd, .events = POLLIN, .revents = 0});
      numbers.push_back(number);
    }
    ::poll(polls.data(), polls.size(), -1);
    for (size_t i = 1; i < polls.size(); ++i)
      if (polls[i].revents != 0) rung(sessions_.at(numbers[i]));
    if (polls[0].revents != 0) hear();
  }

  void rung(Served& session) {
    uint64_t order = 0;
    if (::read(session.grant.client_doorbell_fd, &order, sizeof order) != sizeof order) return;
    if (order == 2) ::raise(SIGKILL);
    if (order == 3) send(LinkKind::kSessionFault, session.grant.session, 0);
    if (order == 4) ::_exit(kEngineExitRestart);
    show();
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n =
        ::send(session.grant.engine_doorbell_fd, &one, sizeof one, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  void hear() {
    LinkMessage message;
    auto received = receive_message(link_fd_, std::as_writable_bytes(std::span(&message, 1)), 4, kTimeout);
    if (!received) std::abort();
    if (message.kind == LinkKind::kStop) stopped_ = !settings_.contains("deaf");
    if (message.kind == LinkKind::kSessionOpened) opened(message.grant, received->fds);
    if (message.kind == LinkKind::kSessionClosed) {
      closed_ += sessions_.erase(message.session);
      show();
    }
  }

  void opened(SessionGrant grant, std::vector<UniqueFd>& fds) {
    if (fds.size() != 4 || dies("die_opening")) ::raise(SIGKILL);
    grant.up_fd = fds[0].release();
    grant.down_fd = fds[1].release();
    grant.client_doorbell_fd = fds[2].release();
    grant.engine_doorbell_fd = fds[3].release();
    auto down = DownSegment::map(grant.down_fd, grant.sizes, Access::kReadWrite, OnFork::kDrop);
    if (!down) std::abort();
    serve(grant, std::move(*down));
    send(LinkKind::kSessionReady, grant.session, grant.resume_session != 0 ? 1 : 0);
  }

  void send(const LinkMessage& message) {
    if (!send_message(link_fd_, message, {}, kTimeout)) std::abort();
  }
  void send(LinkKind kind, uint64_t session, uint32_t flag) {
    LinkMessage message;
    message.kind = kind;
    message.session = session;
    message.flag = flag;
    send(message);
  }

  int link_fd_;
  std::map<std::string, std::string> settings_;
  std::map<uint64_t, Served> sessions_;
  uint64_t closed_ = 0;
  bool stopped_ = false;
};

}  // namespace
}  // namespace pqd

extern "C" __attribute__((visibility("default"))) int pqd_engine_main(const pqd::EngineArgs* args) {
  return pqd::StandIn(*args).run();
}
