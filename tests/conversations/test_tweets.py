"""The layout "Customer Support on Twitter": tweets joined into conversations."""

from logs_for_tests import read, said

TWEETS = """tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id
3,sprintcare,False,Tue Oct 31 22:12:00 +0000 2017,"@115712 Please send us a
message",4,2
2,115712,True,Tue Oct 31 22:11:45 +0000 2017,@sprintcare and how do we do that,3,1.0
1,115712,True,Tue Oct 31 22:08:27 +0000 2017,my phone is dead,2,
4,115712,True,Tue Oct 31 22:13:00 +0000 2017,done,,3
5,999,True,Tue Oct 31 22:14:00 +0000 2017,same here!,6,3
6,sprintcare,False,Tue Oct 31 22:15:00 +0000 2017,@999 tell us more,,5
7,777,True,Tue Oct 31 22:15:00 +0000 2017,nobody answers me,,
8,1,True,x,in a circle,,9
9,1,True,x,in a circle too,,8
10,1,maybe,x,what am I,,
"""


def test_tweets_are_joined_by_replies(tmp_path):
    path = tmp_path / "twcs.csv"
    path.write_text(TWEETS)
    conversations, rejected = read(path)
    first, second, unanswered = sorted(conversations, key=lambda conversation: conversation.id)
    assert said(first) == [
        ("customer", "my phone is dead"),
        ("customer", "@sprintcare and how do we do that"),
        ("agent", "@115712 Please send us a\nmessage"),
        ("customer", "done"),
    ]
    assert first.customer == "115712"
    assert first.turns[0].at == "2017-10-31T22:08:27+00:00"
    assert said(second) == [("customer", "same here!"), ("agent", "@999 tell us more")]
    assert [turn.role for turn in unanswered.turns] == ["customer"]
    reasons = {item.line: item.reason for item in rejected}
    assert sorted(reasons) == [10, 11, 12]
    assert "circle" in reasons[10]
    assert "maybe" in reasons[12]


def test_tweets_stand_in_the_order_of_their_moments_whatever_their_zone(tmp_path):
    path = tmp_path / "twcs.csv"
    path.write_text(
        "tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id\n"
        "1,7,True,2017-10-31T22:00:00+00:00,dead,,\n2,help,False,2017-10-31T18:30:00-05:00,try this,,1\n"
        "3,7,True,2017-10-31T23:00:00+00:00,anyone?,,1\n"
    )
    (conversation,), _ = read(path)
    assert [text for _, text in said(conversation)] == ["dead", "anyone?", "try this"]
