#include "tests/daemon/supervisor/fixtures.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "daemon/supervisor/supervisor.h"

namespace pqd::supervisor_test {

bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

ChildProcess::ChildProcess(const std::function<int()>& work) {
  const pid_t parent = ::getpid();
  std::fflush(nullptr);  // so that the child has nothing of ours to write once more
  pid_ = ::fork();
  if (pid_ < 0) std::abort();
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::_exit(work());
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void ChildProcess::signal(int number) const { ::kill(pid_, number); }

int ChildProcess::wait() {
  int status = 0;
  const bool ended = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
  if (!ended) return -1;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

SupervisorOptions options_in(const TempDir& directory, const std::string& engine_words) {
  SupervisorOptions options;
  options.state_dir = directory.path("state");
  options.socket_path = directory.path("pqd.sock");
  options.engine_library = PQD_STAND_IN_ENGINE;
  options.config_toml = engine_words;
  options.engine_backoff = {.first_ns = 1'000'000, .max_ns = 4'000'000, .good_service_ns = 10'000'000'000};
  return options;
}

namespace {

// Read end, write end.
std::pair<UniqueFd, UniqueFd> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

RunningSupervisor::RunningSupervisor(SupervisorOptions options, const std::function<void()>& first)
    : log_path_(std::filesystem::path(options.socket_path).parent_path() /
                ("log-" + std::to_string(::rand()))),
      pipe_(make_pipe()),
      child_([this, &options, &first] {
        if (first) first();
        const int log = ::open(log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(log, STDOUT_FILENO);
        ::dup2(log, STDERR_FILENO);
        pipe_.first.reset();
        options.on_ready = [this] {
          if (::write(pipe_.second.get(), "R", 1) != 1) std::abort();
        };
        auto supervisor = Supervisor::create(std::move(options));
        if (!supervisor) {
          const std::string text = supervisor.error().text + "\n";
          if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return 1;
          return supervisor.error().exit_status;
        }
        const int status = (*supervisor)->run();
        supervisor->reset();
        return status;
      }) {
  pipe_.second.reset();
}

bool RunningSupervisor::wait_ready() {
  pollfd wanted{.fd = pipe_.first.get(), .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, static_cast<int>(kPatience.count())) <= 0) return false;
  char byte = 0;
  return ::read(pipe_.first.get(), &byte, 1) == 1;
}

pid_t RunningSupervisor::engine_pid() const {
  const std::string pid = std::to_string(child_.pid());
  const std::string children = read_text("/proc/" + pid + "/task/" + pid + "/children");
  return children.empty() ? 0 : std::stoi(children);
}

UniqueFd connect_to(const std::string& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return socket;
}

std::expected<Reply, WireError> reply_to(const std::string& socket_path, std::span<const std::byte> message) {
  const UniqueFd socket = connect_to(socket_path);
  if (!socket) return std::unexpected(WireError{WireFault::kSystem, errno});
  if (auto sent = send_message(socket.get(), message, {}, kPatience); !sent)
    return std::unexpected(sent.error());
  return receive_reply(socket.get(), kPatience);
}

TestClient::TestClient(UniqueFd socket, Accepted accepted)
    : socket_(std::move(socket)), accepted_(std::move(accepted)) {
  auto up =
      UpSegment::map(accepted_.fds.up.get(), accepted_.welcome.sizes, Access::kReadWrite, OnFork::kDrop);
  auto down =
      DownSegment::map(accepted_.fds.down.get(), accepted_.welcome.sizes, Access::kReadOnly, OnFork::kDrop);
  if (!up || !down) std::abort();
  up_ = std::move(*up);
  down_ = std::move(*down);
}

std::optional<TestClient> TestClient::open(const std::string& socket_path, const Hello& hello,
                                           Refusal* refusal) {
  UniqueFd socket = connect_to(socket_path);
  if (!socket || !send_message(socket.get(), wire_bytes(hello), {}, kPatience)) return std::nullopt;
  auto reply = receive_reply(socket.get(), kPatience);
  if (!reply) return std::nullopt;
  if (auto* accepted = std::get_if<Accepted>(&*reply))
    return TestClient(std::move(socket), std::move(*accepted));
  if (refusal != nullptr) *refusal = std::get<Refusal>(*reply);
  return std::nullopt;
}

void TestClient::order(uint64_t what) const {
  if (::write(accepted_.fds.client_doorbell.get(), &what, sizeof what) != sizeof what) std::abort();
}

bool TestClient::closed_by_daemon() const {
  pollfd wanted{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  char byte = 0;
  return ::poll(&wanted, 1, static_cast<int>(kPatience.count())) > 0 &&
         ::recv(socket_.get(), &byte, 1, MSG_DONTWAIT) <= 0;
}

}  // namespace pqd::supervisor_test
