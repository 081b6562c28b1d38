// What the tests of this folder share: a directory of their own, children that are killed, and commits whose
// bytes follow from their number.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "daemon/store/store.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {

inline std::unique_ptr<Store> open_store(const std::string& directory) {
  auto store = Store::open({.directory = directory});
  if (!store) ADD_FAILURE() << store.error().text;
  return store ? std::move(*store) : nullptr;
}

// An entry and a block of this number, told from any other's.
inline Bytes bytes_of(uint64_t number, size_t size) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(number * 31 + i * 7 + (i >> 8));
  return bytes;
}
inline size_t entry_size(uint64_t number) { return 64 + number * 37 % 400; }
inline size_t block_size(uint64_t number) { return number % 5 == 0 ? 0 : 100 + number * 131 % 5'000; }
inline StoreResult<void> append_numbered(Store& store, uint64_t number) {
  return store.append(number, bytes_of(number, entry_size(number)), bytes_of(number, block_size(number)));
}

// The commits in the store are first..last without a gap, each with the bytes of its number.
inline ::testing::AssertionResult holds_commits(const Store& store, uint64_t first, uint64_t last) {
  uint64_t next = first;
  const auto read = store.for_each_commit(first, [&next](uint64_t number, ByteView entry, ByteView block) {
    const Bytes want_entry = bytes_of(number, entry_size(number));
    const Bytes want_block = bytes_of(number, block_size(number));
    const bool same =
        number == next && std::ranges::equal(entry, want_entry) && std::ranges::equal(block, want_block);
    if (same) ++next;
    return same;
  });
  if (!read) return ::testing::AssertionFailure() << read.error().text;
  if (next == last + 1) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "commit " << next << " is missing or changed";
}

// A child that runs `body(write_fd)`, and the reading end of its pipe. Killed at the latest by its own alarm.
class Child {
 public:
  template <class Body>
  explicit Child(Body body) {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      ::alarm(60);
      body(ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    read_end_ = ends[0];
  }
  ~Child() {
    kill();
    ::close(read_end_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // SIGKILL, and gone when it returns.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
  }
  // The next number that the child told; nothing at its end.
  std::optional<uint64_t> hear() {
    uint64_t number = 0;
    if (::read(read_end_, &number, sizeof number) != sizeof number) return std::nullopt;
    return number;
  }

 private:
  pid_t pid_ = 0;
  int read_end_ = -1;
};

inline void tell(int fd, uint64_t number) {
  if (::write(fd, &number, sizeof number) != sizeof number) ::_exit(3);
}

template <class Condition>
::testing::AssertionResult comes_true(Condition condition) {
  const auto start = std::chrono::steady_clock::now();
  while (!condition()) {
    if (std::chrono::steady_clock::now() - start > std::chrono::seconds(60))
      return ::testing::AssertionFailure() << "not within a minute";
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return ::testing::AssertionSuccess();
}

}  // namespace pqd::test
