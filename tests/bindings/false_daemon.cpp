#include "tests/bindings/false_daemon.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "tests/support/eventually.h"

namespace pqd::test {

FalseDaemon::FalseDaemon(std::function<void(int socket)> answer, int type)
    : path_(directory_.path("pqd.sock")), listener_(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 1) != 0) {
    ADD_FAILURE() << "cannot listen at " << path_;
    return;
  }
  thread_ = std::thread([fd = listener_.get(), answer = std::move(answer)] {
    for (;;) {
      const UniqueFd client(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      if (receive_hello(client.get(), kWatchdog)) answer(client.get());
    }
  });
}

FalseDaemon::~FalseDaemon() {
  // Ends an accept that nobody has come to.
  ::shutdown(listener_.get(), SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
}

}  // namespace pqd::test
