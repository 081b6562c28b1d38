#include "tests/tools/pqctl/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace pqd::test {
namespace {

using namespace std::chrono_literals;
constexpr auto kWatchdog = 60s;
constexpr auto kLookEvery = 2ms;

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> merged(std::vector<std::string> ours) {
  const size_t own = ours.size();
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::string name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (size_t i = 0; i < own; ++i) replaced |= ours[i].starts_with(name);
    if (!replaced) ours.push_back(text);
  }
  return ours;
}

}  // namespace

TempDir::TempDir() {
  const char* base = std::getenv("TMPDIR");
  path_ = std::string(base != nullptr ? base : "/tmp") + "/pqctl-test-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no temporary directory";
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Program::Program(std::vector<std::string> words, std::vector<std::string> environment, std::string input) {
  std::ofstream(dir_.path("in"), std::ios::binary) << input;
  environment = merged(std::move(environment));
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  const int to_write = O_WRONLY | O_CREAT | O_APPEND;
  ::posix_spawn_file_actions_addopen(&actions, 0, dir_.path("in").c_str(), O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, dir_.path("out").c_str(), to_write, 0600);
  ::posix_spawn_file_actions_addopen(&actions, 2, dir_.path("err").c_str(), to_write, 0600);
  const auto arguments = pointers(words);
  const auto variables = pointers(environment);
  const int error =
      ::posix_spawnp(&pid_, words[0].c_str(), &actions, nullptr, arguments.data(), variables.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return;
  ADD_FAILURE() << "cannot run " << words[0];
  ended_ = true;
}

Program::~Program() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Program::running() {
  if (!ended_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
  return !ended_;
}

int Program::wait() {
  const auto deadline = std::chrono::steady_clock::now() + kWatchdog;
  while (running()) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "the program did not end; it said:\n" << out() << err();
      signal(SIGKILL);
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

void Program::signal(int number) {
  if (running()) ::kill(pid_, number);
}

std::string Program::out() const { return contents_of(dir_.path("out")); }
std::string Program::err() const { return contents_of(dir_.path("err")); }

bool Program::says(const std::string& text) {
  const auto said = [&] { return (out() + err()).find(text) != std::string::npos; };
  const auto deadline = std::chrono::steady_clock::now() + kWatchdog;
  while (!said()) {
    if (!running() || std::chrono::steady_clock::now() > deadline) return said();
    std::this_thread::sleep_for(kLookEvery);
  }
  return true;
}

Ran run(std::vector<std::string> words, std::vector<std::string> environment, std::string input) {
  Program program(std::move(words), std::move(environment), std::move(input));
  const int exit = program.wait();
  return {exit, program.out(), program.err()};
}

}  // namespace pqd::test
