// The place of a `pqd --dev`: a directory for its owner only, under $XDG_RUNTIME_DIR or /tmp, with state and
// socket in it. Made for one run it is removed at a clean end; one that was named stays. One thread.
#pragma once

#include <expected>
#include <string>

#include "daemon/supervisor/start_failure.h"

namespace pqd {

class DevDirectory {
 public:
  // An empty `wanted`: a new one.
  static std::expected<DevDirectory, StartFailure> create(const std::string& wanted);

  const std::string& path() const { return path_; }
  std::string state_dir() const { return path_ + "/state"; }
  std::string socket_path() const { return path_ + "/pqd.sock"; }

  // Removes it with all that is in it, if create() made it. After a crash it stays, for people to look at.
  void remove_if_ours() const;

 private:
  DevDirectory(std::string path, bool ours) : path_(std::move(path)), ours_(ours) {}

  std::string path_;
  bool ours_;
};

}  // namespace pqd
