// A socket that answers one client after the other as a test wants it to, and not as pqd does. Owner: one
// thread; the answer is given in a thread of its own, which ends with the object.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "shm/handshake.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {

class FalseDaemon {
 public:
  // `answer` gets the socket of a client whose hello has been read.
  explicit FalseDaemon(std::function<void(int socket)> answer, int type);
  ~FalseDaemon();
  FalseDaemon(const FalseDaemon&) = delete;
  FalseDaemon& operator=(const FalseDaemon&) = delete;

  const std::string& socket() const { return path_; }

 private:
  TempDir directory_;
  std::string path_;
  UniqueFd listener_;
  std::thread thread_;
};

}  // namespace pqd::test
