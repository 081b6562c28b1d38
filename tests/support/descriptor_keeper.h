// What PID 1 is to one service: hears its notifications, keeps the descriptors that it leaves, and hands them
// to its next start. Speaks the protocol of systemd's fd store: FDSTORE=1 and FDSTOREREMOVE=1 with FDNAME=;
// LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES. A thread of its own listens; the rest belongs to one thread, which
// may fork: the listener is not at work then.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "shm/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {

class DescriptorKeeper {
 public:
  // `room`: so many are kept, the rest is closed, as systemd does it.
  explicit DescriptorKeeper(size_t room = 10'000);
  ~DescriptorKeeper();
  DescriptorKeeper(const DescriptorKeeper&) = delete;
  DescriptorKeeper& operator=(const DescriptorKeeper&) = delete;

  struct Kept {
    std::string name;
    UniqueFd fd;
  };

  // For a start: "NAME=value" each, LISTEN_PID apart, which only the child itself knows; and the descriptors
  // in that order, which stay ours.
  std::vector<std::string> environment();
  std::vector<int> descriptors();
  // In the order in which they came.
  std::vector<std::string> names();
  // All that was sent, line by line.
  std::string heard();
  // For what a service may find that an earlier one did not leave like this.
  void keep(const std::string& name, UniqueFd fd);
  void drop(const std::string& name);
  void drop_all();

 private:
  void listen();
  // REQUIRES: the lock of all keepers' work is held. All that waits in the socket.
  void take_in();
  void take(const std::string& message, std::vector<UniqueFd> fds);
  template <class Wanted>
  void let_go(Wanted wanted);

  TempDir directory_;
  size_t room_;
  UniqueFd socket_;
  UniqueFd end_;
  std::vector<Kept> kept_;
  std::string heard_;
  std::thread thread_;
};

}  // namespace pqd::test
