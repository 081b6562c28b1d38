// What all processes of a load have in common: a client, a log of their deeds, words for what fails. One
// thread.
#pragma once

#include "tests/support/load/load_process.h"

namespace pqd::test {

class LoadRole {
 public:
  LoadRole(const Forked::Say& say, const LoadProcess& process, Client client)
      : client_(std::move(client)), process_(process), say_(say), log_(process.log) {}

 protected:
  // False: it could not be written down, and the process is to end.
  bool note(Deed deed) const;
  // Says what went otherwise than it may. False, always.
  bool failed(const std::string& what, const Failure& failure) const;

  Client client_;
  const LoadProcess& process_;

 private:
  const Forked::Say& say_;
  DeedLog log_;
};

// Connected as `name`, it does what its class does. Returns the process's exit code.
template <class Role>
int run_role(const char* name, const Forked::Say& say, const LoadProcess& process) {
  auto client = load_client(process.socket, name);
  if (!client) return load_failed(say, "connect", client.error());
  process.board.connected.fetch_add(1, std::memory_order_relaxed);
  return Role(say, process, std::move(*client)).run();
}

}  // namespace pqd::test
