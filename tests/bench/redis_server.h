// A Redis of our own on a Unix socket in a private directory; gone with the object.
#pragma once

#include <signal.h>

#include <string>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace pqd::bench {

class RedisServer {
 public:
  // `durable`: every change is in its log and synced before it is acknowledged; else nothing is written.
  explicit RedisServer(bool durable)
      : socket_(directory_.path("redis.sock")),
        program_({"redis-server", "--port", "0", "--unixsocket", socket_, "--dir", directory_.path(),
                  "--save", "", "--appendonly", durable ? "yes" : "no", "--appendfsync", "always",
                  "--auto-aof-rewrite-percentage", "0"}) {
    if (!program_.says("eady to accept connections"))
      fault_ = "redis-server does not start: " + program_.out() + program_.err();
  }
  ~RedisServer() {
    program_.signal(SIGTERM);
    program_.wait();
  }

  const std::string& fault() const { return fault_; }  // "" = it serves
  const std::string& socket() const { return socket_; }

 private:
  test::TempDir directory_;
  std::string socket_;
  test::Program program_;
  std::string fault_;
};

}  // namespace pqd::bench
