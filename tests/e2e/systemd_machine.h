// A machine with a real systemd as its first process, and pqd installed in it. Belongs to one thread. Takes
// root, and a kernel that lets it make namespaces; why_not() tells when that is not so.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>

#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/program.h"

namespace pqd::test {

class SystemdMachine {
 public:
  static std::string why_not() {
    if (::geteuid() != 0) return "a machine of its own takes root";
    if (!std::filesystem::exists("/lib/systemd/systemd")) return "there is no systemd here";
    if (!may_make_cgroups()) return "no cgroups can be made here";
    const Ran tried = run({"unshare", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--fork", "mount",
                           "--make-rprivate", "/"});
    return tried.exit == 0 ? "" : "no namespaces can be made here: " + tried.err;
  }

  SystemdMachine() {
    std::vector<std::string> words{PQD_SOURCE_DIR "/tests/e2e/systemd/boot", PQD_BIN_DIR "/..",
                                   directory_.path()};
    for (const std::string& cgroup : cgroups_) {
      EXPECT_TRUE(std::filesystem::create_directory(cgroup)) << cgroup;
      words.push_back(cgroup);
    }
    program_.emplace(std::move(words));
    // Before systemd has replaced the script that sets the machine up, there is no such child.
    EXPECT_TRUE(eventually([&] { return (init_ = child_named(program_->pid(), "systemd")) != 0; }))
        << program_->err();
    EXPECT_TRUE(eventually([&] { return run_inside({"systemctl", "list-units", "--quiet"}).exit == 0; }));
  }
  ~SystemdMachine() {
    if (init_ != 0) ::kill(init_, SIGKILL);  // all that is in there ends with it
    program_.reset();
    for (const std::string& cgroup : cgroups_) remove_cgroup(cgroup);
  }
  SystemdMachine(const SystemdMachine&) = delete;
  SystemdMachine& operator=(const SystemdMachine&) = delete;

  Ran run_inside(std::vector<std::string> words) const {
    std::vector<std::string> all{"nsenter", "-t", std::to_string(init_), "-a", "-r", "-w"};
    all.insert(all.end(), words.begin(), words.end());
    return run(std::move(all));
  }
  // As seen from here.
  std::string path(const std::string& inside) const {
    return "/proc/" + std::to_string(init_) + "/root" + inside;
  }
  // What systemd says of the service.
  std::string property(const std::string& name) const {
    std::string value = run_inside({"systemctl", "show", "pqd", "--value", "-p", name}).out;
    while (value.ends_with('\n')) value.pop_back();
    return value;
  }
  // This machine's directories, one in each hierarchy.
  const std::vector<std::string>& cgroups() const { return cgroups_; }
  // The hierarchies in which its systemd is not in a group of its own, as lines of cgroups(7).
  std::string shared_cgroups() const {
    std::ifstream all("/proc/" + std::to_string(init_) + "/cgroup");
    std::string shared;
    for (std::string line; std::getline(all, line);)
      if ((line.starts_with("0::") || line.find(":name=systemd:") != std::string::npos) &&
          line.find("/pqd-test-") == std::string::npos)
        shared += line + "\n";
    return shared;
  }
  std::string journal() const {
    return run_inside({"journalctl", "--no-pager", "-o", "cat", "-u", "pqd"}).out;
  }

 private:
  // One in every hierarchy that systemd keeps groups in: the named one, the unified one, or both, which it
  // mounts itself. In one without, all machines would be the same.
  static std::vector<std::string> own_cgroups() {
    std::vector<std::string> paths;
    for (const char* name : {"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"})
      if (std::filesystem::exists(name)) paths.emplace_back(name);
    if (paths.empty()) paths.emplace_back("/sys/fs/cgroup");
    static int made = 0;
    const std::string name = "/pqd-test-" + std::to_string(::getpid()) + "-" + std::to_string(++made);
    for (std::string& path : paths) path += name;
    return paths;
  }
  static bool may_make_cgroups() {
    return std::ranges::all_of(own_cgroups(), [](const std::string& path) {
      return ::mkdir(path.c_str(), 0755) == 0 && ::rmdir(path.c_str()) == 0;
    });
  }
  // From the leaves on; a group is free a moment after its last process.
  static void remove_cgroup(const std::string& cgroup) {
    namespace fs = std::filesystem;
    eventually([&] {
      std::vector<std::string> paths{cgroup};
      std::error_code error;
      for (const auto& entry : fs::recursive_directory_iterator(cgroup, error))
        if (entry.is_directory(error)) paths.push_back(entry.path());
      std::ranges::sort(paths, std::greater<>());
      for (const std::string& path : paths) ::rmdir(path.c_str());
      return !fs::exists(cgroup);
    });
  }

  TempDir directory_;
  const std::vector<std::string> cgroups_ = own_cgroups();
  std::optional<Program> program_;
  pid_t init_ = 0;
};

}  // namespace pqd::test
