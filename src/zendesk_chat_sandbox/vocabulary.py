"""Names and words of the simulated account: all fake, hosts from example.com."""

from dataclasses import dataclass
from typing import Final

ACCOUNT_ID: Final = 10_099_001

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
SHORTCUT_MESSAGES: Final = (
    "Hello, I am looking into it now.",
    "Could you send me your order number, please? You find it in the confirmation e-mail.",
    "One moment, please.",
    "I have asked the carrier to look for it; we will write to you as soon as there is an answer.",
    "Sorry about that. A refund takes three to five days until it shows on your account.",
    "Is there anything else I can do for you?",
    "Natürlich, ich schicke Ihnen sofort ein neues Etikett zu.",
    "Thank you for your patience! 😊",
)
BAN_REASONS: Final = ("Spam links", "Abuse", "Bot", "", "Repeated insults 🤬", "Advertising")
TAGS: Final = ("order_status", "refund", "vip", "bug", "shipping", "invoice", "späti", "follow-up", "spam", "upsell")
SHOP: Final = "https://shop.example.com"
TITLES: Final = {
    "/": "Welcome",
    "/orders": "Your orders",
    "/cart?step=2&ref=mail": "Cart — step 2",
    "/help/returns": "How to return",
    "/pricing": "Pricing",
    "/ja/商品": "商品一覧",
}
PAGES: Final = tuple((SHOP + path, title) for path, title in TITLES.items() if not path.startswith("/ja"))
REFERRERS: Final = ("", "", "", "https://search.example.com/", "https://news.example.net/a?b=c")
SEARCHES: Final = (("", ""), ("", ""), ("", ""), ("", ""), ("Search", "return policy"), ("Search", "light two-person tent"))
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


@dataclass(frozen=True, slots=True)
class Location:
    """Where visitors come from, and how many of them."""

    city: str
    region: str
    code: str
    country: str
    calling_code: int
    culture: str
    weight: int


LOCATIONS: Final = (
    Location("Lisbon", "Lisboa", "PT", "Portugal", 351, "pt", 13),
    Location("Porto", "Porto", "PT", "Portugal", 351, "pt", 7),
    Location("Faro", "Faro", "PT", "Portugal", 351, "pt", 3),
    Location("Madrid", "Madrid", "ES", "Spain", 34, "es", 7),
    Location("Barcelona", "Catalunya", "ES", "Spain", 34, "es", 5),
    Location("Berlin", "Berlin", "DE", "Germany", 49, "de", 6),
    Location("München", "Bayern", "DE", "Germany", 49, "de", 5),
    Location("Hamburg", "Hamburg", "DE", "Germany", 49, "de", 3),
    Location("Paris", "Île-de-France", "FR", "France", 33, "fr", 5),
    Location("Lyon", "Auvergne-Rhône-Alpes", "FR", "France", 33, "fr", 3),
    Location("London", "England", "GB", "United Kingdom", 44, "en", 8),
    Location("Manchester", "England", "GB", "United Kingdom", 44, "en", 3),
    Location("Dublin", "Leinster", "IE", "Ireland", 353, "en", 3),
    Location("Amsterdam", "Noord-Holland", "NL", "Netherlands", 31, "nl", 4),
    Location("Milano", "Lombardia", "IT", "Italy", 39, "it", 5),
    Location("Warszawa", "Mazowieckie", "PL", "Poland", 48, "pl", 3),
    Location("Göteborg", "Västra Götaland", "SE", "Sweden", 46, "sv", 3),
    Location("São Paulo", "São Paulo", "BR", "Brazil", 55, "pt", 5),
    Location("New York", "New York", "US", "United States", 1, "en", 4),
    Location("Austin", "Texas", "US", "United States", 1, "en", 2),
    Location("東京", "Tokyo", "JP", "Japan", 81, "ja", 3),
    Location("القاهرة", "", "EG", "Egypt", 20, "ar", 1),
    Location("", "", "", "", 44, "en", 1),
)
# Given names, family names, and their order.
NAMES: Final = {
    "pt": (
        ("João", "Maria", "Tiago", "Inês", "Rui", "Beatriz", "Pedro", "Sofia", "Miguel", "Joana"),
        ("Silva", "Santos", "Ferreira", "Oliveira", "Pereira", "Gonçalves", "Ribeiro", "Martins", "Sousa", "Araújo"),
        "{first} {last}",
    ),
    "es": (
        ("José", "Carmen", "Javier", "Lucía", "Pablo", "Marta", "Íñigo", "Elena", "Raúl"),
        ("García", "Fernández", "López", "Ñíguez", "Sánchez", "Romero", "Torres", "Núñez"),
        "{first} {last}",
    ),
    "de": (
        ("Lukas", "Anna", "Jürgen", "Lena", "Max", "Sophie", "Björn", "Katharina", "Felix"),
        ("Müller", "Schmidt", "Weber", "Schröder", "Becker", "Groß", "Wagner", "Köhler"),
        "{first} {last}",
    ),
    "fr": (
        ("Louis", "Camille", "Hugo", "Chloé", "Théo", "Amélie", "François", "Marie-Claire"),
        ("Martin", "Bernard", "Dubois", "Lefèvre", "Moreau", "Girard", "Rousseau", "Mercier"),
        "{first} {last}",
    ),
    "en": (
        ("Oliver", "Emily", "Jack", "Olivia", "Harry", "Grace", "Liam", "Chloe", "Noah", "Ava"),
        ("Smith", "Jones", "Taylor", "O'Brien", "Walker", "Hughes", "Patel", "Murphy", "Johnson", "Lee"),
        "{first} {last}",
    ),
    "nl": (
        ("Daan", "Sanne", "Bram", "Lotte", "Thijs", "Fleur"),
        ("de Vries", "Jansen", "Bakker", "Visser", "van Dijk"),
        "{first} {last}",
    ),
    "it": (
        ("Marco", "Giulia", "Luca", "Chiara", "Matteo", "Francesca"),
        ("Rossi", "Ferrari", "Bianchi", "Ricci", "Greco"),
        "{first} {last}",
    ),
    "pl": (
        ("Łukasz", "Agnieszka", "Paweł", "Zofia", "Michał"),
        ("Nowak", "Kowalska", "Wiśniewski", "Żak", "Zieliński"),
        "{first} {last}",
    ),
    "sv": (("Erik", "Åsa", "Lars", "Maja", "Søren"), ("Andersson", "Lindqvist", "Öberg", "Nilsson"), "{first} {last}"),
    "ja": (
        ("花子/hanako", "健太/kenta", "美咲/misaki", "翔/sho", "陽子/yoko"),
        ("佐藤/sato", "鈴木/suzuki", "高橋/takahashi", "田中/tanaka", "伊藤/ito"),
        "{last} {first}",
    ),
    "ar": (
        ("محمد/mohamed", "فاطمة/fatma", "أحمد/ahmed", "مريم/mariam"),
        ("علي/ali", "حسن/hassan", "إبراهيم/ibrahim"),
        "{first} {last}",
    ),
}
