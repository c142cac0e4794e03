"""Words from which the seeded account is made: all invented, hosts from example.com, addresses from RFC 5737."""

from typing import Final

FIRST_NAMES: Final = (
    "Ana", "Bo", "Chidi", "Dara", "Elif", "Farid", "Greta", "Hana", "Ines", "Jonas", "Kaveh", "Lina", "Mateo",
    "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Søren", "Tamar", "Umar", "Vera", "Wen", "Ximena", "Yusuf", "Zoë",
)  # fmt: skip
LAST_NAMES: Final = (
    "Almeida", "Berg", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Hughes", "Ivanova", "Jansen", "Kowalski",
    "Lindqvist", "Moreau", "Nakamura", "Okafor", "Petrov", "Quispe", "Rossi", "Šimić", "Tanaka", "Ünal", "Vargas",
)  # fmt: skip
VISITOR_NAMES: Final = (
    "李小龙", "佐藤 花子", "김민수", "محمد علي", "יעל כהן", "Олена Шевченко", "Δήμητρα", "José Ñandú", "Łukasz Żak",
    "Đặng Thị Hạnh", "Max 🚀", "👩‍👩‍👧 family", "O'Brien \"Bob\"", "back\\slash", "tab\tname", "  ", "Ana",
    "अनीता शर्मा", "Jo", "Marie-Claire", "N/A", "null", "<b>bold</b>", "Zoë & Søn",
)  # fmt: skip
DEPARTMENTS: Final = ("Orders", "Returns", "Billing", "Technical", "Sales", "VIP", "Français", "日本語サポート")
SKILLS: Final = ("english", "french", "german", "japanese", "billing", "escalation")
ROLES: Final = ("Owner", "Administrator", "Agent", "Team lead")
GOALS: Final = ("Checkout", "Newsletter", "Trial", "Upgrade", "Contact form")
TRIGGERS: Final = ("Rescue a waiting visitor", "Cart reminder", "Greet on pricing", "Away notice", "Tag campaign")
SHORTCUTS: Final = (
    "hello", "goodbye", "hold_on", "order_id", "refund", "shipping", "thanks", "survey", "transfer", "closing",
    "opening", "warranty", "invoice", "password", "callback", "ticket", "language", "outage", "discount", "returns",
)  # fmt: skip
BAN_REASONS: Final = ("Spam links", "Abuse", "Bot", "", "Repeated insults 🤬", "Advertising")
TAGS: Final = ("order_status", "refund", "vip", "bug", "shipping", "invoice", "späti", "follow-up", "spam", "upsell")
PAGES: Final = (
    ("https://shop.example.com/", "Welcome"),
    ("https://shop.example.com/orders", "Your orders"),
    ("https://shop.example.com/cart?step=2&ref=mail", "Cart — step 2"),
    ("https://shop.example.com/help/returns", "How to return"),
    ("https://shop.example.com/pricing", "Pricing"),
    ("https://shop.example.com/ja/商品", "商品一覧"),
)
REFERRERS: Final = ("", "", "", "https://search.example.com/", "https://news.example.net/a?b=c")
SEARCHES: Final = (("", ""), ("", ""), ("", ""), ("Search", "return policy"), ("Search", "サイズ 交換"))
VISITOR_LINES: Final = (
    "Where has my parcel got to?",
    "Hi, I ordered two weeks ago and the parcel still has not arrived. Could you look into it?",
    "Thanks!",
    "Das Paket ist beschädigt angekommen, was soll ich tun?",
    "¿Puedo cambiar la talla?",
    "注文をキャンセルしたいのですが、どうすればいいですか。",
    "مرحبا، أين طلبي؟",
    'The page says "Error 500" \\ and then nothing.\nI tried twice.',
    "ok 👍",
    "It is about invoice 2024/118, the VAT number is missing from the PDF that I downloaded yesterday.",
    "❤️ great, that worked",
    "Are you a robot?",
)
AGENT_LINES: Final = (
    "Hello, I am looking into it now.",
    "Could you send me your order number, please? You find it in the confirmation mail, on top on the right.",
    "I see. The parcel left our warehouse on Monday and should be with you by tomorrow evening.",
    "One moment, please.",
    "I have asked the carrier to look for it; we will write to you as soon as there is an answer.",
    "Sorry about that. A refund takes three to five days until it shows on your account.",
    "Is there anything else I can do for you?",
    "Natürlich, ich schicke Ihnen sofort ein neues Etikett zu.",
    "Thank you for your patience! 😊",
)
COMMENTS: Final = (
    "Quick and kind",
    "Took too long",
    "très bien",
    "",
    "👎",
    "The agent was friendly but could not solve it.",
)
OFFLINE_LINES: Final = (
    "Hello?",
    "Nobody answered, please call me back under the number I left. It is about my subscription.",
    "Bonjour, je voudrais annuler ma commande.",
    "すぐに返信してください。",
    "I cannot log in since yesterday, your site says my account is locked. What do I do now?",
)
BROWSERS: Final = (
    ("Firefox", "Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (
        "Chrome",
        "Windows 10",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0",
    ),
    ("Safari", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"),
    ("Edge", "Windows 11", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Edg/129.0"),
)
PLACES: Final = (
    ("Lisbon", "Lisboa", "PT", "Portugal"),
    ("München", "Bayern", "DE", "Germany"),
    ("東京", "Tokyo", "JP", "Japan"),
    ("São Paulo", "São Paulo", "BR", "Brazil"),
    ("القاهرة", "", "EG", "Egypt"),
    ("", "", "", ""),
)
