// What becomes of the sessions that the store knows and those that the supervisor has, when an engine starts:
//   both have it           it goes on, from the stored positions
//   the supervisor alone   the engine died before it had written it: opened now
//   the store alone        its client went meanwhile: closed; or it belonged to an earlier supervisor: its
//                          client may come back within a grace time
// One thread.
#pragma once

#include "core/broker.h"
#include "daemon/engine/session_ports.h"

namespace pqd {

class InheritedSessions {
 public:
  // Of one partition.
  InheritedSessions(const EngineArgs& args, PartitionNo partition, Broker& broker, State& state,
                    SessionPorts& ports);

  // Maps what the store knows, and puts into its outboxes what no engine has published. Before the first
  // turn. The error names the session that cannot be mapped.
  std::expected<void, std::string> map();
  // In the first turn: opens, closes, expects.
  std::expected<void, std::string> settle();
  // Sessions whose clients have no Welcome yet and that took over an earlier one.
  const std::vector<SessionNo>& resumed() const { return resumed_; }

 private:
  std::expected<SessionPort*, std::string> add(const SessionGrant& grant, const SessionEntry& entry);

  std::vector<SessionGrant> grants_;
  const SessionNo first_session_;  // of this supervisor
  Broker& broker_;
  State& state_;
  SessionPorts& ports_;
  std::vector<SessionNo> resumed_;
};

}  // namespace pqd
