// beanstalkd, which needs no client library: its protocol is lines.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "shm/unique_fd.h"
#include "tests/bench/own.h"
#include "tests/bench/sides.h"
#include "tests/bench/transport.h"
#include "tests/bench/whole_life_peers.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace pqd::bench {
namespace {

constexpr size_t kAtOnce = 64;
constexpr uint64_t kWindow = 20'000;

// Lines out, answers in.
class Connection {
 public:
  Connection(Side& side, const std::string& path) : side_(side) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw_errno("connect");
  }
  void send(const std::string& text) {
    for (size_t sent = 0; sent < text.size();) {
      const ssize_t more = ::send(socket_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (more <= 0) throw_errno("send");
      sent += static_cast<size_t>(more);
    }
  }
  // The next answer's line, which begins so.
  std::string line(std::string_view expected) {
    size_t end = 0;
    while ((end = buffer_.find("\r\n", at_)) == std::string::npos) more();
    std::string text = buffer_.substr(at_, end - at_);
    at_ = end + 2;
    if (!text.starts_with(expected)) side_.fail("beanstalkd answers " + text);
    return text;
  }
  void skip(size_t bytes) {
    while (buffer_.size() - at_ < bytes) more();
    at_ += bytes;
  }

 private:
  void more() {
    buffer_.erase(0, std::exchange(at_, 0));
    char piece[65536];
    const ssize_t got = ::recv(socket_.get(), piece, sizeof piece, 0);
    if (got <= 0) throw_errno("recv");
    buffer_.append(piece, static_cast<size_t>(got));
  }

  Side& side_;
  UniqueFd socket_;
  std::string buffer_;
  size_t at_ = 0;
};

std::string repeated(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

void put(Side& side, const std::string& path) {
  Connection connection(side, path);
  const std::string puts = repeated("put 100 0 60 " + std::to_string(kWholeLifePayloadBytes) + "\r\n" +
                                        std::string(kWholeLifePayloadBytes, 'x') + "\r\n",
                                    kAtOnce);
  side.start();
  while (!side.over()) {
    connection.send(puts);
    for (size_t i = 0; i < kAtOnce; ++i) connection.line("INSERTED");
    side.did(kAtOnce);
    while (side.done() > side.done_by("consumer") + kWindow && !side.over()) ::usleep(100);
  }
}

void reserve_and_delete(Side& side, const std::string& path) {
  Connection connection(side, path);
  const std::string reserves = repeated("reserve-with-timeout 0\r\n", kAtOnce);
  side.start();
  while (!side.over()) {
    connection.send(reserves);
    std::string deletes;
    size_t reserved = 0;
    for (size_t i = 0; i < kAtOnce; ++i) {
      const std::string answer = connection.line("");
      if (answer == "TIMED_OUT") continue;
      if (!answer.starts_with("RESERVED ")) side.fail("beanstalkd answers " + answer);
      connection.skip(kWholeLifePayloadBytes + 2);
      deletes += "delete " + answer.substr(9, answer.rfind(' ') - 9) + "\r\n";
      ++reserved;
    }
    if (reserved == 0) {
      ::usleep(500);
      continue;
    }
    connection.send(deletes);
    for (size_t i = 0; i < reserved; ++i) connection.line("DELETED");
    side.did(reserved);
  }
}

}  // namespace

Line measure_beanstalkd(const Plan& plan) {
  Line peer{"beanstalkd", "-f0 (fsync at each write), Unix socket, 64 commands a write on either side"};
  repeat(plan, peer, [&](Line& line) -> std::string {
    const test::TempDir directory;
    const std::string path = directory.path("socket");
    test::Program server({"beanstalkd", "-l", "unix:" + path, "-b", directory.path(), "-f0"});
    const bool there =
        test::eventually([&] { return ::access(path.c_str(), F_OK) == 0 || !server.running(); });
    if (!there || !server.running()) return "beanstalkd does not start: " + server.err();
    Sides sides;
    sides.add("consumer", [&](Side& side) { reserve_and_delete(side, path); });
    sides.add("producer", [&](Side& side) { put(side, path); });
    if (sides.run(plan.seconds)) line.add(kWholeLives, sides.rate_of("consumer"));
    return sides.fault();
  });
  return peer;
}

}  // namespace pqd::bench
