#include "tests/support/load/load_role.h"

#include "tests/support/eventually.h"

namespace pqd::test {

bool LoadRole::note(Deed deed) const {
  deed.who = process_.who;
  deed.moment = process_.board.moments.fetch_add(1, std::memory_order_relaxed);
  return log_.add(deed);
}

bool LoadRole::failed(const std::string& what, const Failure& failure) const {
  load_failed(say_, what, failure);
  return false;
}

Result<Client> load_client(const std::string& socket, const char* name) {
  ConnectOptions options;
  options.socket = socket;
  options.name = name;
  options.reconnect_timeout_ms = 60'000;
  options.submit_timeout_ms = 60'000;
  auto client = Client::connect(options);
  eventually([&] {
    if (client || client.error().error != Error::kUnavailable) return true;
    client = Client::connect(options);
    return false;
  });
  return client;
}

int load_failed(const Forked::Say& say, const std::string& what, const Failure& failure) {
  say(what + ": " + std::string(error_name(failure.error)) + ": " + failure.text);
  return kLoadBad;
}

}  // namespace pqd::test
