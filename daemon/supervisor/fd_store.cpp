#include "daemon/supervisor/fd_store.h"

#include <spdlog/spdlog.h>

#include <cstring>

#include "daemon/supervisor/environment.h"
#include "daemon/supervisor/session_card.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

constexpr std::array<std::string_view, kSessionPartCount> kPartNames{
    "socket", "up", "down", "client-doorbell", "engine-doorbell", "card"};

SessionCard card_of(const Session& session) {
  SessionCard card;
  card.session = session.number;
  card.uid = session.peer.uid;
  card.gid = session.peer.gid;
  card.pid = session.peer.pid;
  card.features = session.hello.features & kFeatures;
  card.sizes = session.hello.sizes;
  card.secret_hash = session.secret_hash;
  card.client_name = session.hello.client_name;
  return card;
}

}  // namespace

std::string part_name(uint64_t session, SessionPart part) {
  return fmt::format("session-{}-{}", session, kPartNames[static_cast<size_t>(part)]);
}

FdStore::FdStore(NotifySocket& socket) : socket_(socket) {
  // Older service managers have a store and do not say so.
  const int64_t room = number_in_environment("FDSTORE").value_or(INT64_MAX);
  usable_ = socket && room > 0;
  room_ = usable_ ? static_cast<size_t>(room) : 0;
  if (!usable_)
    spdlog::info("nobody keeps descriptors for us: clients reconnect when the supervisor restarts");
}

bool FdStore::has_room(size_t count) {
  if (!usable_ || told_) return usable_ && count <= room_;
  if (count <= room_) return true;
  told_ = true;
  spdlog::warn(
      "the service manager keeps no more descriptors: further clients reconnect when the supervisor "
      "restarts; "
      "raise FileDescriptorStoreMax");
  return false;
}

void FdStore::put(const std::string& name, int fd) {
  // Not watched by the service manager: a client that goes while we are away is seen by the next supervisor.
  socket_.send("FDSTORE=1\nFDNAME=" + name + "\nFDPOLL=0", fd);
}

void FdStore::forget(const std::string& name) {
  if (usable_) socket_.send("FDSTOREREMOVE=1\nFDNAME=" + name);
}

bool FdStore::keep_listener(int fd) {
  if (!has_room(1)) return false;
  --room_;
  put(std::string(kListenerName), fd);
  return true;
}

void FdStore::keep(const Session& session) {
  if ((session.hello.features & kFeatureRenewal) == 0 || !has_room(kSessionPartCount)) return;
  const auto card = write_session_card(card_of(session));
  if (!card) {
    spdlog::warn("session {} has no card ({}: {}): its client reconnects when the supervisor restarts",
                 session.number, card.error().call, std::strerror(card.error().number));
    return;
  }
  room_ -= kSessionPartCount;
  kept_.insert(session.number);
  PQD_CRASH_POINT("kept-before-session");
  put(part_name(session.number, SessionPart::kSocket), session.socket.get());
  put(part_name(session.number, SessionPart::kUp), session.files.up.get());
  put(part_name(session.number, SessionPart::kDown), session.files.down.get());
  PQD_CRASH_POINT("kept-half-a-session");
  put(part_name(session.number, SessionPart::kClientDoorbell), session.files.client_doorbell.get());
  put(part_name(session.number, SessionPart::kEngineDoorbell), session.files.engine_doorbell.get());
  put(part_name(session.number, SessionPart::kCard), card->get());
  PQD_CRASH_POINT("kept-session");
}

void FdStore::keep_new_down(const Session& session) {
  const std::string name = part_name(session.number, SessionPart::kDown);
  kept_.insert(session.number);
  room_ -= std::min(room_, kSessionPartCount);
  PQD_CRASH_POINT("kept-down-before-exchange");
  forget(name);
  PQD_CRASH_POINT("kept-down-half-exchanged");
  put(name, session.files.down.get());
  PQD_CRASH_POINT("kept-down-exchanged");
}

void FdStore::forget(uint64_t session) {
  if (kept_.erase(session) == 0) return;
  room_ += kSessionPartCount;
  PQD_CRASH_POINT("kept-before-forgetting");
  for (size_t part = 0; part < kSessionPartCount; ++part)
    forget(part_name(session, static_cast<SessionPart>(part)));
  PQD_CRASH_POINT("kept-forgotten");
}

}  // namespace pqd
