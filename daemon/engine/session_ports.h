// All sessions that this engine serves, by number, and in one order that drains go round in. One thread.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "daemon/engine/session_port.h"

namespace pqd {

class SessionPorts {
 public:
  SessionPort& add(std::unique_ptr<SessionPort> port) {
    SessionPort& added = *port;
    order_.push_back(&added);
    by_number_.insert_or_assign(added.number(), std::move(port));
    return added;
  }
  void remove(SessionNo number) {
    std::erase_if(order_, [number](const SessionPort* port) { return port->number() == number; });
    by_number_.erase(number);
  }
  // Null when there is none (any more).
  SessionPort* find(SessionNo number) {
    const auto found = by_number_.find(number);
    return found == by_number_.end() ? nullptr : found->second.get();
  }
  const std::vector<SessionPort*>& all() const { return order_; }

 private:
  std::unordered_map<SessionNo, std::unique_ptr<SessionPort>> by_number_;
  std::vector<SessionPort*> order_;
};

}  // namespace pqd
