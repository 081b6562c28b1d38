// What the kernel and Boost offer.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "shm/unique_fd.h"
#include "tests/bench/transport.h"

namespace pqd::bench {
namespace {

constexpr size_t kRecordsAtOnce = 64;
constexpr long kQueueMessages = 1024;

// Gone as soon as it is there: both sides inherit it.
std::string private_name(const char* what) {
  static unsigned number = 0;
  return "pqd-bench-" + std::to_string(::getpid()) + "-" + what + std::to_string(++number);
}

class Pipe final : public Transport {
 public:
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
    reading_.reset(ends[0]);
    writing_.reset(ends[1]);
    ::fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
  }
  void send(std::span<const Record> records) override {
    const auto bytes = std::as_bytes(records);
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t wrote = ::write(writing_.get(), bytes.data() + sent, bytes.size() - sent);
      if (wrote < 0) throw_errno("write");
      sent += static_cast<size_t>(wrote);
    }
  }
  size_t receive(std::span<Record> into) override {
    const auto bytes = std::as_writable_bytes(into);
    size_t got = 0;
    do {
      const ssize_t more = ::read(reading_.get(), bytes.data() + got, bytes.size() - got);
      if (more <= 0) throw_errno("read");
      got += static_cast<size_t>(more);
    } while (got % sizeof(Record) != 0);
    return got / sizeof(Record);
  }

 private:
  UniqueFd reading_;
  UniqueFd writing_;
};

class Seqpacket final : public Transport {
 public:
  Seqpacket() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) throw_errno("socketpair");
    sending_.reset(ends[0]);
    receiving_.reset(ends[1]);
    const int bytes = 1 << 20;
    ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  }
  void send(std::span<const Record> records) override {
    if (records.size() == 1) {
      if (::send(sending_.get(), records.data(), sizeof(Record), 0) < 0) throw_errno("send");
      return;
    }
    for (size_t i = 0; i < records.size(); ++i) point_at(i, const_cast<Record*>(&records[i]));
    for (size_t sent = 0; sent < records.size();) {
      const int more =
          ::sendmmsg(sending_.get(), &messages_[sent], static_cast<unsigned>(records.size() - sent), 0);
      if (more < 0) throw_errno("sendmmsg");
      sent += static_cast<size_t>(more);
    }
  }
  size_t receive(std::span<Record> into) override {
    const size_t most = std::min(into.size(), kRecordsAtOnce);
    for (size_t i = 0; i < most; ++i) point_at(i, &into[i]);
    const int got =
        ::recvmmsg(receiving_.get(), messages_.data(), static_cast<unsigned>(most), MSG_WAITFORONE, nullptr);
    if (got <= 0) throw_errno("recvmmsg");
    return static_cast<size_t>(got);
  }

 private:
  void point_at(size_t i, Record* record) {
    pieces_[i] = {record, sizeof(Record)};
    messages_[i] = {};
    messages_[i].msg_hdr.msg_iov = &pieces_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
  }

  UniqueFd sending_;
  UniqueFd receiving_;
  std::array<iovec, kRecordsAtOnce> pieces_{};
  std::array<mmsghdr, kRecordsAtOnce> messages_{};
};

class PosixQueue final : public Transport {
 public:
  PosixQueue() {
    const std::string name = "/" + private_name("mq");
    mq_attr attributes{};
    attributes.mq_maxmsg = kQueueMessages;
    attributes.mq_msgsize = sizeof(Record);
    const auto open = [&] {
      queue_ = ::mq_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
    };
    open();
    if (queue_ == -1) {
      // Whoever has no privilege is held to this.
      std::ifstream("/proc/sys/fs/mqueue/msg_max") >> attributes.mq_maxmsg;
      open();
    }
    if (queue_ == -1) throw_errno("mq_open");
    ::mq_unlink(name.c_str());
  }
  ~PosixQueue() override { ::mq_close(queue_); }
  void send(std::span<const Record> records) override {
    for (const Record& record : records)
      if (::mq_send(queue_, reinterpret_cast<const char*>(&record), sizeof record, 0) != 0)
        throw_errno("mq_send");
  }
  size_t receive(std::span<Record> into) override {
    if (::mq_receive(queue_, reinterpret_cast<char*>(into.data()), sizeof(Record), nullptr) < 0)
      throw_errno("mq_receive");
    return 1;
  }

 private:
  mqd_t queue_ = -1;
};

class BoostQueue final : public Transport {
 public:
  BoostQueue()
      : name_(private_name("boost")),
        queue_(boost::interprocess::create_only, name_.c_str(), kQueueMessages, sizeof(Record)) {
    boost::interprocess::message_queue::remove(name_.c_str());
  }
  void send(std::span<const Record> records) override {
    for (const Record& record : records) queue_.send(&record, sizeof record, 0);
  }
  size_t receive(std::span<Record> into) override {
    boost::interprocess::message_queue::size_type got = 0;
    unsigned priority = 0;
    queue_.receive(into.data(), sizeof(Record), got, priority);
    return 1;
  }

 private:
  std::string name_;
  boost::interprocess::message_queue queue_;
};

}  // namespace

std::unique_ptr<Transport> make_pipe() { return std::make_unique<Pipe>(); }
std::unique_ptr<Transport> make_seqpacket() { return std::make_unique<Seqpacket>(); }
std::unique_ptr<Transport> make_posix_queue() { return std::make_unique<PosixQueue>(); }
std::unique_ptr<Transport> make_boost_queue() { return std::make_unique<BoostQueue>(); }

}  // namespace pqd::bench
