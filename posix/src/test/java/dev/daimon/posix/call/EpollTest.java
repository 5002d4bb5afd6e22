package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EpollTest {
  private final int[] ready = new int[4];
  private int epoll;
  private int first;
  private int second;

  @BeforeEach
  void open() {
    epoll = Epoll.create(Epoll.EPOLL_CLOEXEC);
    first = Epoll.eventfd(Epoll.EFD_CLOEXEC);
    second = Epoll.eventfd(Epoll.EFD_CLOEXEC);
    assertThat(List.of(epoll, first, second)).doesNotHaveDuplicates().allMatch(fd -> fd > 2);
  }

  @AfterEach
  void close() {
    Files.close(epoll);
    Files.close(first);
    Files.close(second);
  }

  @Test
  void everyDescriptorThatIsReadyIsTold() {
    assertThat(Epoll.add(epoll, first, Epoll.EPOLLIN)).isZero();
    assertThat(Epoll.add(epoll, second, Epoll.EPOLLIN)).isZero();
    assertThat(Epoll.await(epoll, ready, 0)).isZero();

    count(second);
    assertThat(Epoll.await(epoll, ready, -1)).isEqualTo(1);
    assertThat(ready[0]).isEqualTo(second);

    count(first);
    assertThat(Epoll.await(epoll, ready, -1)).isEqualTo(2);
    assertThat(Arrays.copyOf(ready, 2)).containsExactlyInAnyOrder(first, second);
  }

  @Test
  void ifSoAskedEachChangeIsToldOnce() {
    Epoll.add(epoll, first, Epoll.EPOLLIN | Epoll.EPOLLET);
    count(first);

    assertThat(Epoll.await(epoll, ready, 0)).isEqualTo(1);
    assertThat(Epoll.await(epoll, ready, 0)).isZero();
    count(first);
    assertThat(Epoll.await(epoll, ready, 0)).isEqualTo(1);
  }

  @Test
  void nothingIsToldOfADescriptorThatWasRemoved() {
    Epoll.add(epoll, first, Epoll.EPOLLIN);
    count(first);

    assertThat(Epoll.remove(epoll, first)).isZero();

    assertThat(Epoll.await(epoll, ready, 0)).isZero();
    assertThat(Epoll.remove(epoll, first)).isEqualTo(-Errno.ENOENT.number());
  }

  @Test
  void whatIsNoEpollInstanceIsAnError() {
    assertThat(Epoll.await(first, ready, 0)).isEqualTo(-Errno.EINVAL.number());
    assertThat(Epoll.add(first, second, Epoll.EPOLLIN)).isEqualTo(-Errno.EINVAL.number());
  }

  private static void count(int eventfd) {
    assertThat(Files.write(eventfd, new byte[] {1, 1, 1, 1, 1, 1, 1, 1})).isEqualTo(8);
  }
}
